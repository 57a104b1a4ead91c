/**
 * Names that may become a file in the working folder or the library: one path part that every system in use
 * can hold. Returns what is wrong with the name, or null.
 */
import { FILE_NAME_BYTES } from './limits.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being refused
const FORBIDDEN = /[/\\:*?"<>|\u0000-\u001f\u007f]/u;
const RESERVED_ON_WINDOWS = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;

export const fileNameFault = (name: string): string | null => {
  if (name === '') return 'expected a file name, got an empty text';
  if (name === '.' || name === '..') return `expected a file name, got ${JSON.stringify(name)}`;
  if (FORBIDDEN.test(name)) {
    return `expected a file name without path parts, control characters or any of : * ? " < > |, got ${JSON.stringify(name)}`;
  }
  if (/[. ]$/.test(name) || name.startsWith(' ')) {
    return `expected a file name that does not start with a space or end with a space or dot, got ${JSON.stringify(name)}`;
  }
  if (RESERVED_ON_WINDOWS.test(name)) return `${JSON.stringify(name)} is a device name on Windows; choose another`;
  if (!name.isWellFormed()) return 'expected a file name in well-formed Unicode';
  const bytes = new TextEncoder().encode(name).length;
  if (bytes > FILE_NAME_BYTES) return `expected at most ${FILE_NAME_BYTES} bytes in a file name, got ${bytes}`;
  return null;
};
