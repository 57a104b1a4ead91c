/** The wiring of what devices are installed from. */
import { dirname } from 'node:path';
import type { ServerConfig } from '../config.ts';
import { agentShelf } from '../installer/agent-shelf.ts';
import { type AnswerFile, INSTALL_CALLS, installerDoor } from '../installer/installer-door.ts';
import { slidingWindows } from '../limits/sliding-window.ts';
import { RELAY_FILE_HEADER } from '../relay/pass-on.ts';
import type { Engine } from './engine.ts';

/** Beside this very executable, unless a folder is named; from a checkout there is no such place. */
const agentsFolder = (config: ServerConfig): string | null =>
  config.agentsFolder ?? (Bun.isStandaloneExecutable ? dirname(process.execPath) : null);

/** Gateways are told which file to send: they hold the caller's connection, and read the same disk. */
const answerFileBy = ({ gateways }: ServerConfig): AnswerFile =>
  gateways > 0
    ? (path, headers) => new Response(null, { headers: { ...headers, [RELAY_FILE_HEADER]: encodeURIComponent(path) } })
    : (path, headers) => new Response(Bun.file(path), { headers });

export const installer = ({ now }: Engine, config: ServerConfig) => {
  const shelf = agentShelf(agentsFolder(config));
  const windows = slidingWindows(INSTALL_CALLS.milliseconds);
  return {
    shelf,
    door: installerDoor({ shelf, windows, now, answerFile: answerFileBy(config) }),
    forget: () => windows.forget(now()),
  };
};
