/** What the doors have counted for the audit: refusals at the front door, and of devices. */

import type { ArrivalIo } from '../gateway/arrival.ts';
import type { Session } from '../gateway/session.ts';
import type { RefusedRequest } from '../http/front-door.ts';
import type { Engine } from './engine.ts';

type Tallier = Pick<Engine, 'tally'>;

export const frontDoorRefusals =
  ({ tally }: Tallier) =>
  ({ code, door, address, requestId }: RefusedRequest): void =>
    tally.count({
      event: code === 'InternalServerError' ? 'request.failed' : 'request.refused',
      by: null,
      subject: door,
      code,
      origin: { address, requestId },
    });

export const deviceRefusals =
  ({ tally }: Tallier): Session['onRefused'] =>
  (session, code, about) =>
    tally.count({
      event: 'device.refused',
      by: session.machineId !== null ? { tenantId: null, name: `device ${session.machineId}` } : null,
      subject: 'connection',
      code,
      origin: { address: session.remoteAddress, requestId: session.id },
      ...(about === undefined ? {} : { about }),
    });

export const strangerRefusals =
  ({ tally }: Tallier): ArrivalIo['onCrowded'] =>
  (address, { limit }) =>
    tally.count({
      event: 'device.refused',
      by: null,
      subject: 'connection',
      code: limit,
      origin: { address, requestId: null },
    });
