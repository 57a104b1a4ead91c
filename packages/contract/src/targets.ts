/** Systems that executables are made for, and the names of their files, wherever they are made, handed out or fetched. */

export const TARGETS = [
  'linux-x64',
  'linux-arm64',
  'linux-x64-musl',
  'windows-x64',
  'darwin-arm64',
  'darwin-x64',
] as const;
export type Target = (typeof TARGETS)[number];

/** `longarm-agent-windows-x64.exe` and the like. */
export const targetFileName = (program: string, target: Target): string =>
  `${program}-${target}${target.startsWith('windows-') ? '.exe' : ''}`;

/** Paths below a server's address by which a device gets its agent. No token is needed: they hold no secret. */
export const INSTALL_PATHS = {
  /** GET: for `sh`, with the token on its standard input. */
  posix: '/install.sh',
  /** GET: for PowerShell. */
  windows: '/install.ps1',
  /** GET: SHA-256 of each executable that is handed out, as `sha256sum -c` reads it. */
  checksums: '/install/SHA256SUMS',
} as const;

/** GET: an executable. */
export const agentPath = (target: Target): string => `/install/agent/${target}`;
