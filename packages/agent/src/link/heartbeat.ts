/** Says now and then that the device is there, and finds out when the other side is not. */

export type HeartbeatIo = {
  readonly after: (delayMs: number, wake: () => void) => () => void;
  readonly random: () => number;
};

export type Heartbeat = {
  /** Something came from the server. */
  readonly heard: () => void;
  readonly stop: () => void;
};

/** Beats vary by a tenth, so that devices that connected at once do not beat at once. */
const JITTER = 0.1;
/** So many intervals without a word mean that nobody is there. */
const SILENT_INTERVALS = 2;

/** Calls `beat` at each interval and `silent` once, when nothing was heard for two of them. */
export const startHeartbeat = (
  io: HeartbeatIo,
  intervalMs: number,
  on: { readonly beat: () => void; readonly silent: () => void },
): Heartbeat => {
  const armSilence = () => io.after(SILENT_INTERVALS * intervalMs, on.silent);
  let callOffSilence = armSilence();
  let callOffBeat = () => {};
  const armBeat = () => {
    callOffBeat = io.after(intervalMs * (1 - JITTER + 2 * JITTER * io.random()), () => {
      armBeat();
      on.beat();
    });
  };
  armBeat();
  return {
    heard: () => {
      callOffSilence();
      callOffSilence = armSilence();
    },
    stop: () => {
      callOffBeat();
      callOffSilence();
    },
  };
};
