/** The wiring of decisions on devices. */
import { decideEnrolment } from '../machines/decide-enrolment.ts';
import type { Engine } from './engine.ts';

export const decideEnrolmentOf = ({ store, hints, clock, sessions }: Engine) =>
  decideEnrolment({ machines: store.machines, hints, clock, dismissMachine: sessions.dismissMachine });
