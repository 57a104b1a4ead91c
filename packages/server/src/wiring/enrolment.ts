/** The wiring of how devices become machines of this server. */
import { enrolDevice } from '../auth/enrol-device.ts';
import { enrolRoutes, REFUSED_ENROLMENTS } from '../gateway/enrol.ts';
import { slidingWindows } from '../limits/sliding-window.ts';
import type { Authority } from './certificates.ts';
import type { Engine, World } from './engine.ts';
import { enrolPace } from './paces.ts';

export const enrolment = (engine: Engine, { folder }: World, authority: Authority | null) => {
  const { store, now } = engine;
  const { audience, envelopeKey } = folder;
  const windows = slidingWindows(REFUSED_ENROLMENTS.milliseconds);
  const door = enrolRoutes({
    windows,
    now,
    admit: enrolPace(engine).turn,
    pause: Bun.sleep,
    enrol: enrolDevice({ machines: store.machines, now, audience, envelopeKey }),
    caPem: () => authority?.caPem() ?? null,
  });
  return { door, forget: () => windows.forget(now()) };
};
