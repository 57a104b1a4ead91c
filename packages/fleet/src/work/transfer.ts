/** Bytes of a simulated agent: library files down, results up by the core of tus 1.0, as the protocol has it. */
import { createHash, randomBytes } from 'node:crypto';
import { type ActionId, Sha256 } from '@longarm/contract/ids';
import { INLINE_RESULT_BYTES } from '@longarm/contract/limits';
import type { ResultStream } from '@longarm/contract/result';
import {
  libraryFilePath,
  TRANSFER_HEADERS,
  TUS_VERSION,
  UPLOAD_CONTENT_TYPE,
  uploadPath,
} from '@longarm/contract/wire/protocol';
import type { UploadedResult } from '@longarm/contract/wire/to-server';
import {
  formatTransferProof,
  TRANSFER_PROOF_HEADER,
  transferPlace,
  transferProofText,
} from '@longarm/contract/wire/transfer-proof';
import type { Content } from '../agent/fleet-io.ts';
import type { AgentKey } from '../identity/agent-key.ts';
import type { Trust } from '../identity/server-trust.ts';

export const contentOf = (sizeBytes: number): Content => {
  const bytes = new Uint8Array(sizeBytes).fill(0x2e);
  const sha256 = Sha256.parse(createHash('sha256').update(bytes).digest('hex'));
  return { bytes, sha256, base64: sizeBytes > INLINE_RESULT_BYTES ? '' : Buffer.from(bytes).toString('base64') };
};

export type TransferWay = {
  readonly server: string;
  readonly trust: Trust;
  readonly ticket: string;
  readonly audience: string;
  readonly key: AgentKey;
  /** Server time. */
  readonly now: () => number;
};

type Asked = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
};

const proofOf = (way: TransferWay, path: string, { method, headers }: Asked): string => {
  const fresh = { at: way.now(), nonce: randomBytes(16).toString('base64url') };
  const claim = {
    audience: way.audience,
    machineId: way.key.machineId,
    method,
    path,
    place: transferPlace(method, (name) => headers[name]),
    ticketSha256: createHash('sha256').update(way.ticket).digest('base64url'),
  };
  return formatTransferProof({ ...fresh, signature: way.key.signText(transferProofText({ ...claim, ...fresh })) });
};

const request = async (way: TransferWay, path: string, asked: Asked): Promise<Response> => {
  const headers = {
    ...asked.headers,
    Authorization: `Bearer ${way.ticket}`,
    [TRANSFER_PROOF_HEADER]: proofOf(way, path, asked),
    [TRANSFER_HEADERS.tusVersion]: TUS_VERSION,
  };
  const answer = await fetch(way.server + path, { ...asked, headers, ...way.trust });
  if (!answer.ok) throw new Error(`transfer: HTTP ${answer.status}`);
  return answer;
};

/** Throws when what came is not what the envelope names. */
export const download = async (
  way: TransferWay,
  actionId: ActionId,
  file: { readonly sha256: string; readonly sizeBytes: number },
): Promise<void> => {
  const answer = await request(way, libraryFilePath(actionId, file.sha256), { method: 'GET', headers: {} });
  const hash = createHash('sha256');
  for await (const chunk of answer.body ?? []) hash.update(chunk);
  if (hash.digest('hex') !== file.sha256) throw new Error('transfer: a library file with another SHA-256 came');
};

/** What a report says of a result. */
export const resultOf = (stream: ResultStream, { bytes, sha256 }: Content): UploadedResult => ({
  stream,
  sha256,
  sizeBytes: bytes.length,
  name: stream,
  cutBytes: 0,
});

/** Gives what the report says of it. */
export const upload = async (
  way: TransferWay,
  target: { readonly actionId: ActionId; readonly index: number; readonly stream: ResultStream },
  content: Content,
): Promise<UploadedResult> => {
  const { bytes } = content;
  const path = uploadPath(target);
  const length = { [TRANSFER_HEADERS.uploadLength]: String(bytes.length) };
  const created = await request(way, path, { method: 'POST', headers: length });
  await created.body?.cancel();
  if (created.status === 201 && bytes.length > 0) {
    const place = { [TRANSFER_HEADERS.uploadOffset]: '0', 'Content-Type': UPLOAD_CONTENT_TYPE };
    const sent = await request(way, path, { method: 'PATCH', headers: place, body: bytes });
    await sent.body?.cancel();
  }
  return resultOf(target.stream, content);
};
