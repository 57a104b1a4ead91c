/**
 * What a device needs to become one of this server's, for whoever asks: the executables and the scripts that fetch them.
 * There is no secret in it; what makes a device ours is the enrolment token.
 */
import { Refusal } from '@longarm/contract/errors';
import type { EpochMs } from '@longarm/contract/instant';
import { agentPath, INSTALL_PATHS, TARGETS, type Target } from '@longarm/contract/targets';
import type { SlidingWindows } from '../limits/sliding-window.ts';
import type { AgentShelf } from './agent-shelf.ts';
import { POSIX_SCRIPT } from './posix-script.ts';
import { WINDOWS_SCRIPT } from './windows-script.ts';

/** Calls from one address in a minute. A device makes three; many may stand behind one address. */
export const INSTALL_CALLS = { calls: 300, milliseconds: 60_000 } as const;

/**
 * An answer whose body is a file: streamed, with its Content-Length, and in ranges (ADR 0005). Whoever holds the caller's
 * connection is who can do that.
 */
export type AnswerFile = (path: string, headers: Readonly<Record<string, string>>) => Response;

type InstallerIo = {
  readonly shelf: AgentShelf;
  readonly windows: SlidingWindows;
  readonly now: () => EpochMs;
  readonly answerFile: AnswerFile;
};

const countCall = (io: InstallerIo, remoteAddress: string | null): void => {
  const taken = io.windows.take(remoteAddress ?? '', [INSTALL_CALLS], io.now());
  if (taken.ok) return;
  const retryAfterSeconds = Math.max(1, Math.ceil(taken.retryAfterMs / 1_000));
  throw new Refusal(
    'TooManyRequests',
    `Too many requests: ${INSTALL_CALLS.calls} in a minute from one address are allowed. Try again in ${retryAfterSeconds} s.`,
    { retryAfterSeconds },
  );
};

const text = (body: string): Response =>
  new Response(body, { headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' } });

const absent = (what: string): Refusal =>
  new Refusal(
    'ResourceNotFound',
    `This server has no ${what} to hand out. Its administrator puts executables, as \`npm run build -- --all\` names them, beside \`longarm\`, or names their folder with --agents DIR.`,
  );

const executable = async ({ shelf, answerFile }: InstallerIo, target: Target, request: Request): Promise<Response> => {
  const found = await shelf.find(target);
  if (found.kind === 'absent') throw absent(`agent for ${target}`);
  if (found.kind === 'damaged')
    throw new Refusal(
      'ResourceNotFound',
      `The agent for ${target} is not handed out: it is not what SHA256SUMS beside it says. Its administrator copies or builds it anew.`,
    );
  const { agent } = found;
  const headers = { ETag: `"${agent.sha256}"`, 'Cache-Control': 'no-cache' };
  if (request.headers.get('if-none-match') === headers.ETag) return new Response(null, { status: 304, headers });
  return answerFile(agent.path, {
    ...headers,
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${agent.name}"`,
  });
};

const checksums = async (shelf: AgentShelf): Promise<Response> => {
  const agents = await shelf.all();
  if (agents.length === 0) throw absent('agent');
  return text(agents.map(({ sha256, name }) => `${sha256}  ${name}\n`).join(''));
};

/** Null for a request that is for none of it. */
export const installerDoor = (io: InstallerIo) => {
  const routes = new Map<string, (request: Request) => Response | Promise<Response>>([
    [INSTALL_PATHS.posix, () => text(POSIX_SCRIPT)],
    [INSTALL_PATHS.windows, () => text(WINDOWS_SCRIPT)],
    [INSTALL_PATHS.checksums, () => checksums(io.shelf)],
    ...TARGETS.map((target) => [agentPath(target), (request: Request) => executable(io, target, request)] as const),
  ]);
  return async (request: Request, path: string, remoteAddress: string | null): Promise<Response | null> => {
    const route = routes.get(path);
    if (route === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return null;
    countCall(io, remoteAddress);
    return await route(request);
  };
};
