/** The server's side of uploads, as docs/agent-protocol.md says it, in memory. */
import { TRANSFER_HEADERS } from '@longarm/contract/wire/protocol';
import { sha256Of } from './sealed-envelope.ts';

export type StoredUpload = { readonly length: number; bytes: Uint8Array };

const answer = (status: number, upload: StoredUpload): Response =>
  new Response(null, {
    status,
    headers: {
      [TRANSFER_HEADERS.uploadOffset]: String(upload.bytes.length),
      ...(upload.bytes.length === upload.length ? { [TRANSFER_HEADERS.sha256]: sha256Of(upload.bytes) } : {}),
    },
  });

export const uploadDoor = () => {
  const uploads = new Map<string, StoredUpload>();
  const create = (request: Request, path: string): Response => {
    const length = Number(request.headers.get(TRANSFER_HEADERS.uploadLength));
    const upload = uploads.get(path) ?? { length, bytes: new Uint8Array() };
    uploads.set(path, upload);
    return answer(201, upload);
  };
  const append = async (request: Request, upload: StoredUpload): Promise<Response> => {
    if (Number(request.headers.get(TRANSFER_HEADERS.uploadOffset)) !== upload.bytes.length) return answer(409, upload);
    upload.bytes = Buffer.concat([upload.bytes, new Uint8Array(await request.arrayBuffer())]);
    return answer(204, upload);
  };
  return {
    uploads,
    /** A result that came with its report. */
    keep: (path: string, { content }: { readonly content: string }) => {
      const bytes = Buffer.from(content, 'base64');
      uploads.set(path, { length: bytes.length, bytes });
    },
    handle: async (request: Request, path: string): Promise<Response> => {
      if (request.method === 'POST') return create(request, path);
      const upload = uploads.get(path);
      if (upload === undefined) return new Response(null, { status: 404 });
      return request.method === 'HEAD' ? answer(200, upload) : append(request, upload);
    },
  };
};
