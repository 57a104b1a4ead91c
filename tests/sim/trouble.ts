/** When what goes wrong: drawn for each device and for the server, until the time of trouble is over. */
import type { SimulatedDevice } from './device.ts';
import type { Fault, Faults } from './faults.ts';
import type { Random } from './random.ts';
import type { SimulatedServer } from './server.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { WorldLimits } from './world-limits.ts';

export type TroubleIo = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
  readonly limits: WorldLimits;
  readonly devices: readonly SimulatedDevice[];
  readonly server: SimulatedServer;
  readonly jumpServerClock: (byMs: number) => void;
};

type Trouble = readonly [Fault, () => void];

/** Draws one of those that this world has, again and again at random moments. */
const recurring = (io: TroubleIo, troubles: readonly Trouble[], timesInAll: number) => {
  const { time, random, faults, limits } = io;
  const own = troubles.filter(([fault]) => faults.isOn(fault));
  const [first, ...others] = own;
  if (first === undefined) return;
  const next = () => {
    const delayMs = (-Math.log(1 - random.next()) * limits.troubleMs) / timesInAll;
    if (time.now() + delayMs > limits.troubleMs) return;
    time.after(delayMs, () => {
      const [, strike] = random.pick([first, ...others]);
      strike();
      next();
    });
  };
  next();
};

const deviceTroubles = ({ time, random, faults, limits }: TroubleIo, device: SimulatedDevice): readonly Trouble[] => {
  const absence = () => random.int(100, random.pick([2_000, 60_000, limits.longestAbsenceMs]));
  return [
    ['agent-crash', device.crashSoon],
    ['connection-cut', device.cutConnections],
    [
      'power-loss',
      () => {
        faults.count('power-loss');
        device.losePower(absence());
      },
    ],
    [
      'device-away',
      () => {
        faults.count('device-away');
        device.setCutOff(true);
        time.after(absence(), () => device.setCutOff(false));
      },
    ],
    [
      'journal-full',
      () => {
        faults.count('journal-full');
        device.setDiskFull(true);
        time.after(random.int(1_000, 120_000), () => device.setDiskFull(false));
      },
    ],
    [
      'device-clock-jumps',
      () => {
        faults.count('device-clock-jumps');
        device.jumpClock(random.int(-86_400_000, 86_400_000));
      },
    ],
  ];
};

/** What strikes while a device is at work: a moment drawn from all of the time hardly ever hits one. */
export const troubleAtWork = ({ time, random, faults, devices, server }: TroubleIo) => {
  const soon = (fault: Fault, probability: number, strike: () => void) => {
    if (faults.isOn(fault) && random.chance(probability)) time.after(random.int(0, 4_000), strike);
  };
  return {
    /** A command has begun on this device. */
    onCommand: (index: number): void => {
      const device = devices[index];
      if (device === undefined) return;
      soon('agent-crash', 0.15, device.crashSoon);
      soon('power-loss', 0.05, () => {
        faults.count('power-loss');
        device.losePower(random.int(100, 60_000));
      });
      soon('server-crash', 0.05, server.crashSoon);
      soon('server-power-loss', 0.1, server.losePowerSoon);
    },
    /** The server takes its time over an upload. */
    onUpload: (): void => soon('server-power-loss', 0.8, server.losePowerSoon),
  };
};

export const beginTrouble = (io: TroubleIo): void => {
  const { random, faults } = io;
  const howOften = random.pick([1, 2, 5]);
  const [unlucky] = io.devices;
  if (unlucky !== undefined && faults.strikes('device-gone', 0.4))
    io.time.after(random.int(0, io.limits.troubleMs), unlucky.vanish);
  for (const device of io.devices) recurring(io, deviceTroubles(io, device), howOften);
  const server: readonly Trouble[] = [
    ['server-crash', io.server.crashSoon],
    ['server-power-loss', io.server.losePowerSoon],
    [
      'server-clock-jumps',
      () => {
        faults.count('server-clock-jumps');
        io.jumpServerClock(random.int(-30_000, 30_000));
      },
    ],
  ];
  recurring(io, server, random.pick([1, 2, 4]));
};
