/** The wiring of the door for bytes. */
import type { resultLinks } from '../auth/result-link.ts';
import { receiveResult } from '../transfer/receive-result.ts';
import { resultBytes } from '../transfer/result-bytes.ts';
import { transferRoutes } from '../transfer/routes.ts';
import { sendLibraryFile } from '../transfer/send-library-file.ts';
import { sendResult } from '../transfer/send-result.ts';
import { transferGate } from '../transfer/transfer-gate.ts';
import type { Engine, World } from './engine.ts';

export const dataPlane = (engine: Engine, { tracing }: World, links: ReturnType<typeof resultLinks>) => {
  const { store, blobs, transfers, limits, now, audience, proofs } = engine;
  const gate = transferGate({ tickets: engine.ticketBook, machines: store.machines, proofs, audience });
  const send = sendResult({ actions: store.actions, blobs: resultBytes({ results: store.results, blobs }), links });
  return transferRoutes({
    sendLibraryFile: sendLibraryFile({ results: store.results, blobs, gate, transfers }),
    receiveResult: receiveResult({ results: store.results, blobs, gate, transfers, limits, now }),
    sendResult: tracing?.download(send, links) ?? send,
  });
};
