/** An action's changes as they come: lines, a living line on a terminal, or JSON lines. */
import type { ActionEntity } from '@longarm/contract/action';
import { truncate } from '../display/measure.ts';
import { painter } from '../display/paint.ts';
import { printJson } from '../display/print.ts';
import { formatDuration } from '../display/quantities.ts';
import type { Io } from '../world/io.ts';
import { presentText, progressLines } from './progress-lines.ts';

export type Progress = {
  readonly show: (action: ActionEntity) => Promise<void>;
  /** Leaves the terminal as it was; nothing is shown afterwards. */
  readonly end: () => Promise<void>;
};

const plainProgress = (io: Io): Progress => {
  let previous: ActionEntity | null = null;
  return {
    show: async (action) => {
      for (const line of progressLines(action, previous)) await io.stdout.write(`${line.text}\n`);
      previous = action;
    },
    end: async () => {},
  };
};

const jsonProgress = (io: Io): Progress => ({
  show: (action) => printJson(io, { event: 'action', action }),
  end: async () => {},
});

/** Erase in line and return, ECMA-48 8.3.41 and 8.3.15. */
const CLEAR_LINE = '\r\u001b[2K';
const TICK_MS = 120;
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;

/** Lasting lines above, and below them one that lives: what goes on, and for how long. */
const livingProgress = (io: Io): Progress => {
  const paint = painter(io);
  let previous: ActionEntity | null = null;
  let present = '';
  let sinceMs = io.world.now();
  let ticks = 0;
  let cancelTick = () => {};
  const draw = async (): Promise<void> => {
    const elapsed = formatDuration(Math.floor((io.world.now() - sinceMs) / 1000) * 1000).replace('.0 s', ' s');
    const text = truncate(`${SPINNER[ticks % SPINNER.length]} ${elapsed}  ${present}`, io.columns - 1);
    await io.stdout.write(`${CLEAR_LINE}${paint('busy', text)}`);
  };
  const tick = (): void => {
    ticks++;
    void draw();
    cancelTick = io.world.after(TICK_MS, tick);
  };
  return {
    show: async (action) => {
      const lasting = progressLines(action, previous).filter((line) => !line.passing);
      const lines = lasting.map((line) => `${paint(line.style, line.text)}\n`);
      previous = action;
      if (presentText(action) !== present) sinceMs = io.world.now();
      present = presentText(action);
      cancelTick();
      await io.stdout.write(`${CLEAR_LINE}${lines.join('')}`);
      await draw();
      cancelTick = io.world.after(TICK_MS, tick);
    },
    end: async () => {
      cancelTick();
      await io.stdout.write(CLEAR_LINE);
    },
  };
};

export const createProgress = (io: Io, options: { readonly json: boolean; readonly isAlone?: boolean }): Progress => {
  if (options.json) return jsonProgress(io);
  // a line that lives would overwrite what others write
  return options.isAlone !== false && io.isTty && io.env.TERM !== 'dumb' ? livingProgress(io) : plainProgress(io);
};
