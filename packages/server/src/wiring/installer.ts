/** The wiring of what devices are installed from. */
import { dirname } from 'node:path';
import type { ServerConfig } from '../config.ts';
import { agentShelf } from '../installer/agent-shelf.ts';
import { INSTALL_CALLS, installerDoor } from '../installer/installer-door.ts';
import { slidingWindows } from '../limits/sliding-window.ts';
import type { Engine } from './engine.ts';

/** Beside this very executable, unless a folder is named; from a checkout there is no such place. */
const agentsFolder = (config: ServerConfig): string | null =>
  config.agentsFolder ?? (Bun.isStandaloneExecutable ? dirname(process.execPath) : null);

export const installer = ({ now }: Engine, config: ServerConfig) => {
  const shelf = agentShelf(agentsFolder(config));
  const windows = slidingWindows(INSTALL_CALLS.milliseconds);
  return { shelf, door: installerDoor({ shelf, windows, now }), forget: () => windows.forget(now()) };
};
