import type { ExitReason } from './exit-codes.ts';

/** Something that ends a command: the sentence says what was expected and what was got, `next` what to do. */
export class CliFault extends Error {
  override readonly name = 'CliFault';
  readonly reason: ExitReason;
  readonly next: string | null;

  constructor(reason: ExitReason, sentence: string, next: string | null = null) {
    super(sentence);
    this.reason = reason;
    this.next = next;
  }
}

export const usageFault = (sentence: string, next: string | null = null): CliFault =>
  new CliFault('usage', sentence, next);

/** What is thrown into everything that waits when the person presses Ctrl-C. */
export const interruption = (): CliFault =>
  new CliFault('interrupted', 'Interrupted.', 'What the server accepted goes on; see `longarm actions`.');
