/** Small results that came with the report of their command, as bytes that are what it says. */
import { createHash } from 'node:crypto';
import { INLINE_RESULT_BYTES } from '@longarm/contract/limits';
import type { Report } from '@longarm/contract/wire/to-server';
import type { ResultContent } from '../actions/ports.ts';

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * What has another hash or size than the report says, or is spoken of by none of its results, is left out: the device is
 * asked to upload it, as if it had not come. None where they are longer than the bound together.
 */
export const readContents = ({ fact, contents = [] }: Report): readonly ResultContent[] => {
  if (fact.kind !== 'command-finished' || contents.length === 0) return [];
  const read = contents.map(({ stream, content }) => ({ stream, bytes: Buffer.from(content, 'base64') }));
  const total = read.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (total > INLINE_RESULT_BYTES) return [];
  return read.filter(({ stream, bytes }) =>
    fact.results.some(
      (result) => result.stream === stream && result.sizeBytes === bytes.length && result.sha256 === sha256Of(bytes),
    ),
  );
};
