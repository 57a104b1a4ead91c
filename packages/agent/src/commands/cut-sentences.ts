/** What was cut of a script's outputs is said, never hidden. */
import { cutNotice, headBytesOf } from '@longarm/contract/cut-output';
import type { Captured } from '../process/capture.ts';

type Cut = Pick<Captured, 'cutBytes' | 'sizeBytes' | 'fault'>;

const sentence = ({ cutBytes, sizeBytes, fault }: Cut): string => {
  if (fault !== null) return `${cutBytes} bytes were let go, since the disk took only ${sizeBytes}: ${fault}`;
  const keptBytes = sizeBytes - cutNotice(cutBytes).length;
  const head = headBytesOf(keptBytes);
  return `${cutBytes} bytes in its middle were let go: only the first ${head} and the last ${keptBytes - head} are kept`;
};

export const cutSentences = (outputs: Readonly<Record<string, Cut>>): readonly string[] =>
  Object.entries(outputs)
    .filter(([, { cutBytes }]) => cutBytes > 0)
    .map(([name, cut]) => `${name}: ${sentence(cut)}`);
