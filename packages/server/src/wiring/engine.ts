/** The wiring of what lies below the doors: store, blobs, hints, the way to devices, and the dispatcher. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { tickets } from '../auth/ticket.ts';
import { diskBlobStore } from '../blobs/disk.ts';
import { liveOutput } from '../bus/live-output.ts';
import { localBus } from '../bus/local.ts';
import { transferProgress } from '../bus/transfer-progress.ts';
import type { ServerConfig } from '../config.ts';
import type { DataFolder } from '../data-folder.ts';
import { dispatcher } from '../dispatch/dispatcher.ts';
import { gatewaySessions } from '../gateway/sessions.ts';
import type { Log } from '../telemetry/log.ts';

/** What everything is made of. */
export type World = { readonly config: ServerConfig; readonly folder: DataFolder; readonly log: Log };

/** The parts below the doors. */
export const openEngine = async ({ config, folder, log }: World) => {
  const now = () => Date.now();
  const clock = { now };
  const { store } = folder;
  const { limits } = config;
  await store.machines.disconnectAll();
  const blobs = await diskBlobStore({ folder: join(folder.path, 'blobs'), now });
  const hints = localBus();
  const ticketBook = tickets({ key: folder.sealKey, now });
  const sessions = gatewaySessions({ tickets: ticketBook });
  const engine = dispatcher({
    actions: store.actions,
    link: sessions,
    clock,
    limits,
    onFault: (fault) => log.error({ err: fault }, 'a claim failed; the next tick makes up for it'),
  });
  hints.connect(engine);
  const transfers = transferProgress({ hints, now });
  const live = liveOutput({ link: sessions, newId: randomUUID });
  return { live, now, clock, store, limits, blobs, hints, transfers, ticketBook, sessions, engine };
};

export type Engine = Awaited<ReturnType<typeof openEngine>>;
