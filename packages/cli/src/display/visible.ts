/**
 * Text that came from a device or from another person, made safe to look at: characters that a terminal would obey,
 * or that would hide or reorder other text, are shown as escapes instead. Terminal control: ECMA-48, C0 and C1;
 * direction: Unicode UAX #9; "Trojan Source" (CVE-2021-42574) shows what hidden direction marks are good for.
 */

/** C0 with DEL, C1, soft hyphen, direction marks and isolates, zero-width and separators, fillers, tags, surrogates. */
const OBEYED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being made visible
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]/gu;

const escaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
};

const jsonEscaped = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/** The same within a JSON document, whose strings stay what they are: the escapes are JSON's own. */
export const visibleJson = (json: string): string => json.replace(OBEYED, jsonEscaped);

/** One line: line breaks and tabs are made visible too. */
export const visible = (text: string): string => text.replace(OBEYED, escaped);

/** Many lines: line feeds and tabs stay, and a carriage return before a line feed goes. */
export const visibleLines = (text: string): string =>
  text
    .replaceAll('\r\n', '\n')
    .replace(OBEYED, (character) => (/[\n\t]/.test(character) ? character : escaped(character)));

/** The same for text that comes in pieces: a carriage return at the end of one waits for the next. */
export const visiblePieces = (): { readonly take: (text: string) => string; readonly end: () => string } => {
  let held = '';
  return {
    take: (text) => {
      const whole = held + text;
      held = whole.endsWith('\r') ? '\r' : '';
      return visibleLines(whole.slice(0, whole.length - held.length));
    },
    end: () => visibleLines(held),
  };
};
