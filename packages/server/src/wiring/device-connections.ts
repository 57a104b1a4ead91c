/** The wiring of what devices say on their connections. */
import { recordProgress } from '../actions/record-progress.ts';
import { hashSecret } from '../auth/hash-secret.ts';
import { type Connections, connections } from '../gateway/connections.ts';
import { onFrame } from '../gateway/on-frame.ts';
import { prove } from '../gateway/prove.ts';
import { renewKey } from '../gateway/renew-key.ts';
import type { Engine } from './engine.ts';
import { deviceRefusals } from './tallied.ts';

const keyParts = ({ audience, signReceipt, newNonce }: Engine) => ({ audience, signReceipt, newNonce });

export const deviceConnections = (engine: Engine): Connections => {
  const { store, hints, now, clock, sessions, log, guards } = engine;
  const { budgets } = guards;
  return connections({
    sessions,
    now,
    newId: engine.newId,
    newNonce: engine.newNonce,
    budgets,
    turn: engine.turn,
    handle: onFrame({
      onOutput: engine.live.deliver,
      budgets,
      tickets: engine.ticketBook,
      generationKept: (machineId, generation) => store.machines.generationKept(machineId, hashSecret(generation)),
      keys: renewKey({
        machines: store.machines,
        ...keyParts(engine),
        now,
        onRenewed: (machineId, number) => log.info({ machineId, number }, 'a device has another key'),
      }),
      trusts: store.machines.trusts,
      record: recordProgress({ actions: store.actions, hints, clock, transfers: engine.transfers }),
      prove: prove({
        machines: store.machines,
        ...keyParts(engine),
        onFormerKey: (session, machineId) =>
          log.warn(
            { machineId, from: session.remoteAddress },
            'somebody proved with a key that this device had before: an older state of it, or a copy',
          ),
        newGeneration: engine.newNonce,
        onOddState: (machineId, { verdict, state, refusal }) =>
          log.warn(
            { machineId, verdict, state, refusal },
            'a device came with a state that is not the one it had last',
          ),
        actions: store.actions,
        sessions,
        tickets: engine.ticketBook,
        hints,
        now,
        announce: engine.announce,
        heartbeatSeconds: engine.limits['heartbeat-seconds'],
        budgets,
        onProven: ({ remoteAddress }) => guards.strangers.proven(remoteAddress),
        onConnected: (session, machineId) => {
          log.info({ machineId, session: session.id, from: session.remoteAddress }, 'device connected');
          engine.live.connected(machineId);
          session.wire.proven?.();
        },
      }),
    }),
    onGone: async (machineId, sessionId) => {
      log.info({ machineId, session: sessionId }, 'device disconnected');
      await store.machines.disconnected(machineId, sessionId, now());
    },
    onRefused: deviceRefusals(engine),
    onFault: (session, fault) =>
      log.error({ err: fault, machineId: session.machineId }, 'a frame could not be handled'),
  });
};
