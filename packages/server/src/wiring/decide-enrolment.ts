/** The wiring of decisions on devices and their keys. */
import { decideEnrolment } from '../machines/decide-enrolment.ts';
import { wantKey } from '../machines/want-key.ts';
import type { Engine } from './engine.ts';

export const decideEnrolmentOf = ({ store, hints, clock, sessions }: Engine) =>
  decideEnrolment({ machines: store.machines, hints, clock, dismissMachine: sessions.dismissMachine });

export const wantKeyOf = ({ store, clock, sessions }: Engine) =>
  wantKey({ machines: store.machines, askForKey: sessions.askForKey, clock });
