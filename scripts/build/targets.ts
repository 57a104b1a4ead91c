/** The runtime package of the npm registry below each executable, and what they are called. */
import { type Target, targetFileName } from '@longarm/contract/targets';

/** Named like the packages, so `aarch64` for `arm64`. */
export const RUNTIME_PACKAGES: Readonly<Record<Target, string>> = {
  'linux-x64': '@oven/bun-linux-x64',
  'linux-arm64': '@oven/bun-linux-aarch64',
  'linux-x64-musl': '@oven/bun-linux-x64-musl',
  'windows-x64': '@oven/bun-windows-x64',
  'darwin-arm64': '@oven/bun-darwin-aarch64',
  'darwin-x64': '@oven/bun-darwin-x64',
};

export const PROGRAMS = {
  longarm: 'packages/longarm/src/main.ts',
  'longarm-agent': 'packages/agent/src/main.ts',
} as const;
export type ProgramName = keyof typeof PROGRAMS;
export const PROGRAM_NAMES = Object.keys(PROGRAMS).filter((name): name is ProgramName => name in PROGRAMS);

/** Without a target: for this machine, under the bare name. */
export const executableName = (program: ProgramName, target: Target | null, hostPlatform: string): string =>
  target === null ? `${program}${hostPlatform === 'win32' ? '.exe' : ''}` : targetFileName(program, target);
