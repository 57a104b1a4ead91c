/** Sends one result of a finished command from where its bytes lie on this device. */
import { uploadPath } from '@longarm/contract/wire/protocol';
import type { UploadedResult } from '@longarm/contract/wire/to-server';
import type { ResultSource } from '../journal/entries.ts';
import type { DeliverResult, Delivery } from '../outbox/outbox.ts';
import { faultText } from '../platform/fault.ts';
import type { ReadableFile } from '../transfer/piece-source.ts';
import type { TransferIo } from '../transfer/transfer-io.ts';
import { type UploadEnd, upload } from '../transfer/upload.ts';
import type { Tickets } from './tickets.ts';

/** A file of this device, opened for reading. */
export type OpenedFile = ReadableFile & {
  readonly stat: () => Promise<{ readonly size: number }>;
  readonly close: () => Promise<void>;
};

type OpenFile = (path: string) => Promise<OpenedFile>;

/** Bytes as a file that is open for reading. */
export const openedBytes = (bytes: Uint8Array): OpenedFile => ({
  read: async (...[to, offset, length, position]) => {
    const part = bytes.subarray(position, position + length);
    to.set(part, offset);
    return { bytesRead: part.length };
  },
  stat: async () => ({ size: bytes.length }),
  close: async () => {},
});

/** The opened file, or why it is of no use any more. */
const openBytes = async (
  open: OpenFile,
  source: ResultSource | null,
  result: UploadedResult,
): Promise<OpenedFile | string> => {
  if (source === null) return 'nothing says where it is';
  try {
    const { path, content } = source;
    const file = content === undefined ? await open(path) : openedBytes(Buffer.from(content, 'base64'));
    const { size } = await file.stat();
    if (size >= result.sizeBytes) return file;
    await file.close();
    return `expected ${result.sizeBytes} bytes, got ${size}`;
  } catch (fault) {
    return faultText(fault);
  }
};

const impossible = (result: UploadedResult, sentence: string): Delivery => ({
  kind: 'impossible',
  sentence: `${result.stream}: ${sentence}`,
});

const judge = (end: UploadEnd, result: UploadedResult): Delivery => {
  if (end.kind === 'stopped') return { kind: 'stopped' };
  if (end.kind !== 'uploaded') return impossible(result, end.sentence);
  return end.sha256 === result.sha256
    ? { kind: 'delivered' }
    : impossible(result, 'changed on this device before the server had it');
};

export const deliverResult =
  (io: TransferIo, tickets: Tickets, open: OpenFile): DeliverResult =>
  async ({ actionId, index, result, source, stop }) => {
    if (tickets.isHopeless(actionId)) return impossible(result, 'the server accepts no ticket for it');
    const file = await openBytes(open, source, result);
    if (typeof file === 'string') return impossible(result, `cannot be read on this device any more: ${file}`);
    try {
      const { stream, sizeBytes } = result;
      const to = uploadPath({ actionId, index, stream });
      return judge(await upload(io, { to, file, sizeBytes, ticket: tickets.of(actionId), stop }), result);
    } finally {
      await file.close();
    }
  };
