/** Notices that nothing goes on any more, and does once what is good for an agent at rest. */
import type { After } from './timers.ts';

/** How long nothing may have happened, milliseconds: what starts again at once shall find its memory warm. */
const REST_MS = 10_000;

/** To be called whenever something happened. */
export type Stir = () => void;

export const atRest = (io: {
  readonly after: After;
  readonly isBusy: () => boolean;
  readonly rest: () => void;
}): Stir => {
  let callOff = () => {};
  const stir = () => {
    callOff();
    callOff = io.after(REST_MS, () => (io.isBusy() ? stir() : io.rest()));
  };
  return stir;
};
