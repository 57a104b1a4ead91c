/** A name for the analyst's own disk out of a path on somebody else's: it names, it never leads anywhere. */
import { fileNameFault } from '@longarm/contract/file-name';

/** Room is left for a number in front and an ending behind. */
const NAME_BYTES = 200;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being replaced
const REPLACED = /[:*?"<>|\u0000-\u001f\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const cutToBytes = (name: string): string => {
  const characters = [...name];
  while (Buffer.byteLength(characters.join('')) > NAME_BYTES) characters.splice(Math.floor(characters.length / 2), 1);
  return characters.join('');
};

/**
 * The last part of a Windows or POSIX path, without anything that a system gives a meaning: leading dots, leading
 * dashes (an option of whatever is called with it), device names, control and direction characters. Too long a name loses its middle. `fallback` where nothing is left.
 */
export const safeFileName = (path: string, fallback: string): string => {
  const parts = path.split(/[/\\]/).filter((part) => part !== '');
  const cleaned = (parts.at(-1) ?? '')
    .replace(REPLACED, '_')
    .trim()
    .replace(/^[.-]+/, '_')
    .replace(/[. ]+$/, '');
  const name = cutToBytes(cleaned);
  if (name === '') return fallback;
  return fileNameFault(name) === null ? name : `_${name}`;
};
