/**
 * A finished command whose result can never reach the server is told as Failed: nothing is Completed without its
 * result, and nothing that is owed may wait behind it forever.
 */
import { COMMAND_ERROR_CHARACTERS, COMMAND_ERRORS } from '@longarm/contract/limits';
import type { ResultStream } from '@longarm/contract/result';
import type { OwedReport } from '../journal/entries.ts';

export const withoutResult = (report: OwedReport, streams: readonly ResultStream[], sentence: string): OwedReport => {
  const { fact } = report;
  if (fact.kind !== 'command-finished') return report;
  const errors = [...fact.errors.slice(0, COMMAND_ERRORS - 1), sentence.slice(0, COMMAND_ERROR_CHARACTERS)];
  const results = fact.results.filter(({ stream }) => !streams.includes(stream));
  return { ...report, fact: { ...fact, outcome: 'Failed', errors, results } };
};
