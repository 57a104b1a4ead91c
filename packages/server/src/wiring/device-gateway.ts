/** The wiring of the door for devices' connections. */
import { TURN_WAIT_SECONDS } from '@longarm/contract/limits';
import { type Gateway, gateway } from '../gateway/upgrade.ts';
import { admission } from '../limits/admission.ts';
import { deviceConnections } from './device-connections.ts';
import type { Engine } from './engine.ts';
import { strangerRefusals } from './tallied.ts';

export const deviceGateway = (engine: Engine): Gateway =>
  gateway({
    connections: deviceConnections(engine),
    admit: admission({
      perSecond: engine.limits['connects-per-second'],
      maxWaitMs: TURN_WAIT_SECONDS * 1_000,
      now: engine.now,
      after: (delayMs, wake) => void setTimeout(wake, delayMs),
    }),
    strangers: engine.guards.strangers,
    onCrowded: strangerRefusals(engine),
  });
