/** How a query option that cannot be understood is refused: which option, where, what was expected, what was got. */
import { Refusal } from '@longarm/contract/errors';

/** Longest piece of the caller's text that an answer repeats. */
const SHOWN_CHARACTERS = 60;

/** The caller's text, quoted and short enough for a sentence. */
export const shown = (text: string): string =>
  JSON.stringify(text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`);

/** A refusal of a whole option; the sentence says what to do. */
export const optionFault = (option: string, sentence: string): Refusal =>
  new Refusal('ODataError', `${option}: ${sentence}`);

/** A refusal that points at a character; `at` counts from 0, people count from 1. */
export const faultAt = (option: string, at: number, sentence: string): Refusal =>
  optionFault(option, `character ${at + 1}: ${sentence}`);
