/**
 * Executables of the agent in a folder, as `npm run build -- --all` names them. Their SHA-256 is computed here, once for
 * each content; where `SHA256SUMS` lies beside them, one that differs from it is not handed out.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { faultCode } from '@longarm/contract/system-fault';
import { TARGETS, type Target, targetFileName } from '@longarm/contract/targets';

export type ShelvedAgent = {
  readonly target: Target;
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
};

/** What is known of a target: an executable, none, or one that is not what its checksum says. */
export type Shelved =
  | { readonly kind: 'there'; readonly agent: ShelvedAgent }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly path: string };

export type AgentShelf = {
  readonly find: (target: Target) => Promise<Shelved>;
  /** All that may be handed out. */
  readonly all: () => Promise<readonly ShelvedAgent[]>;
};

const nullIfAbsent = async <Value>(reading: Promise<Value>): Promise<Value | null> => {
  try {
    return await reading;
  } catch (fault) {
    if (faultCode(fault) === 'ENOENT' || faultCode(fault) === 'ENOTDIR') return null;
    throw fault;
  }
};

const hashFile = async (path: string): Promise<string> => {
  const hasher = new Bun.CryptoHasher('sha256');
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest('hex');
};

/** Hashes a file anew only when its content may be another: a hundred megabytes for each request would be too much. */
const rememberedHash = () => {
  const known = new Map<string, { readonly mark: string; readonly sha256: Promise<string> }>();
  return async (path: string): Promise<string | null> => {
    const stats = await nullIfAbsent(stat(path));
    if (stats === null || !stats.isFile()) return null;
    const mark = `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
    const found = known.get(path);
    if (found?.mark === mark) return found.sha256;
    const sha256 = hashFile(path);
    known.set(path, { mark, sha256 });
    // what failed is tried again
    sha256.catch(() => known.delete(path));
    return sha256;
  };
};

const checksumIn = (sums: string, name: string): string | null => {
  const line = sums.split('\n').find((text) => text.slice(64).replace(/^ [ *]/, '') === name);
  return line?.slice(0, 64) ?? null;
};

/** A shelf on a folder that need not be there; null is a shelf with nothing on it. */
export const agentShelf = (folder: string | null): AgentShelf => {
  const hashOf = rememberedHash();
  const find = async (target: Target): Promise<Shelved> => {
    if (folder === null) return { kind: 'absent' };
    const name = targetFileName('longarm-agent', target);
    const path = join(folder, name);
    const sha256 = await hashOf(path);
    if (sha256 === null) return { kind: 'absent' };
    const expected = checksumIn((await nullIfAbsent(readFile(join(folder, 'SHA256SUMS'), 'utf8'))) ?? '', name);
    if (expected !== null && expected !== sha256) return { kind: 'damaged', path };
    return { kind: 'there', agent: { target, name, path, sha256 } };
  };
  const all = async () => {
    const shelved: Shelved[] = [];
    for (const target of TARGETS) shelved.push(await find(target));
    return shelved.flatMap((each) => (each.kind === 'there' ? [each.agent] : []));
  };
  return { find, all };
};
