/**
 * The bar for transfers: the same bytes over the same kind of loopback HTTP between two processes, hashed, written and
 * synced by the receiver, and nothing else. This file is the other process, and what the bench calls.
 *
 *   bun --no-install bench/bare-transfer.ts FILE COPY      serves FILE, takes a body into COPY; prints its port
 */
import { open, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Streams a body to a file, hashes and syncs it; the file is removed again. */
const receive = async (body: ReadableStream<Uint8Array> | null, to: string): Promise<string> => {
  const file = await open(to, 'w');
  try {
    const hasher = new Bun.CryptoHasher('sha256');
    for await (const chunk of body ?? []) {
      hasher.update(chunk);
      await file.write(chunk);
    }
    await file.sync();
    return hasher.digest('hex');
  } finally {
    await file.close();
    await rm(to);
  }
};

export type BareTransfer = {
  /** Server to caller. */
  readonly down: () => Promise<string>;
  /** Caller to server. */
  readonly up: () => Promise<string>;
  readonly stop: () => void;
};

/** Starts the other process; both ways move `file`, and `copy` is where it is written. */
export const bareTransfer = async (file: string, copy: string): Promise<BareTransfer> => {
  const command = [process.execPath, '--no-install', fileURLToPath(import.meta.url), file, `${copy}-peer`];
  const peer = Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' });
  const first = await peer.stdout.getReader().read();
  const url = `http://127.0.0.1:${new TextDecoder().decode(first.value).trim()}/`;
  return {
    down: async () => receive((await fetch(url)).body, copy),
    up: async () => (await fetch(url, { method: 'PUT', body: Bun.file(file) })).text(),
    stop: () => peer.kill(),
  };
};

if (import.meta.main) {
  const [file = '', copy = ''] = process.argv.slice(2);
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    idleTimeout: 120,
    fetch: async (request) =>
      request.method === 'GET' ? new Response(Bun.file(file)) : new Response(await receive(request.body, copy)),
  });
  process.stdout.write(`${server.port}\n`);
}
