/** What happened, line by line, and a hash of it by which two runs are known to be the same. */

export type Trace = {
  readonly tell: (who: string, what: string) => void;
  readonly hash: () => string;
  readonly lines: () => number;
};

/** A moment since the world began, for people. */
const momentText = (ms: number): string => {
  const whole = Math.floor(ms / 1_000);
  const clock = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60].map((part) =>
    `${part}`.padStart(2, '0'),
  );
  return `${clock.join(':')}.${`${Math.floor(ms % 1_000)}`.padStart(3, '0')}`;
};

/** `print` gets each line; null where nobody reads along. */
export const newTrace = (now: () => number, print: ((line: string) => void) | null): Trace => {
  let hash = 0n;
  let lines = 0;
  return {
    tell: (who, what) => {
      hash = Bun.hash.wyhash(`${now()} ${who} ${what}`, hash);
      lines++;
      print?.(`${momentText(now())} ${who.padEnd(9)} ${what}`);
    },
    hash: () => hash.toString(16).padStart(16, '0'),
    lines: () => lines,
  };
};
