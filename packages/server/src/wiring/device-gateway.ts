/** The wiring of the door for devices' connections. */
import { type Gateway, gateway } from '../gateway/upgrade.ts';
import { deviceConnections } from './device-connections.ts';
import type { Engine } from './engine.ts';
import { wayInPace } from './paces.ts';
import { strangerRefusals } from './tallied.ts';

export const deviceGateway = (engine: Engine): Gateway =>
  gateway({
    connections: deviceConnections(engine),
    admit: wayInPace(engine, 'connects-per-second').turn,
    after: (delayMs, wake) => void setTimeout(wake, delayMs),
    strangers: engine.guards.strangers,
    onCrowded: strangerRefusals(engine),
  });
