/** The wiring of the door for devices. */
import { randomBytes, randomUUID } from 'node:crypto';
import { recordProgress } from '../actions/record-progress.ts';
import { onFrame } from '../gateway/on-frame.ts';
import { prove } from '../gateway/prove.ts';
import { gateway } from '../gateway/upgrade.ts';
import type { Engine, World } from './engine.ts';

export const deviceGateway = (engine: Engine, { folder, log }: World) => {
  const { store, hints, now, clock, sessions } = engine;
  return gateway({
    sessions,
    now,
    newId: randomUUID,
    newNonce: () => randomBytes(32).toString('base64url'),
    handle: onFrame({
      now,
      onOutput: engine.live.deliver,
      tickets: engine.ticketBook,
      record: recordProgress({ actions: store.actions, hints, clock, transfers: engine.transfers }),
      prove: prove({
        machines: store.machines,
        actions: store.actions,
        sessions,
        tickets: engine.ticketBook,
        hints,
        now,
        audience: folder.audience,
        heartbeatSeconds: engine.limits['heartbeat-seconds'],
        onConnected: (session, machineId) => {
          log.info({ machineId, session: session.id, from: session.remoteAddress }, 'device connected');
          engine.live.connected(machineId);
        },
      }),
    }),
    onGone: async (machineId, sessionId) => {
      log.info({ machineId, session: sessionId }, 'device disconnected');
      await store.machines.disconnected(machineId, sessionId, now());
    },
    onFault: (session, fault) =>
      log.error({ err: fault, machineId: session.machineId }, 'a frame could not be handled'),
  });
};
