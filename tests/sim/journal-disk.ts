/**
 * The disk under a device's journal. A crash of the agent leaves what was written; a loss of power leaves what was
 * synced, and of what came after it any beginning, the last write torn.
 */
import type { LogDisk } from '@longarm/agent/platform/log-disk';
import type { Faults } from './faults.ts';
import type { Life } from './life.ts';
import type { Random } from './random.ts';

type Operation =
  | { readonly kind: 'write'; readonly bytes: Uint8Array; readonly position: number }
  | { readonly kind: 'truncate'; readonly sizeBytes: number };

export type JournalMedium = {
  /** The disk as one run of the agent sees it. */
  readonly openedBy: (life: Life) => LogDisk;
  readonly losePower: () => void;
  /** Full until told otherwise: nothing can be written. */
  readonly setFull: (isFull: boolean) => void;
  readonly sizeBytes: () => number;
};

const applied = (content: Uint8Array, operation: Operation): Uint8Array => {
  if (operation.kind === 'truncate') return content.slice(0, operation.sizeBytes);
  const { bytes, position } = operation;
  const next = new Uint8Array(Math.max(content.length, position + bytes.length));
  next.set(content);
  next.set(bytes, position);
  return next;
};

const fault = (code: string): Error => Object.assign(new Error(`${code}: simulated`), { code });

type MediumIo = { readonly random: Random; readonly faults: Faults };

export const journalMedium = ({ random, faults }: MediumIo): JournalMedium => {
  let synced = new Uint8Array();
  let unsynced: Operation[] = [];
  let content: Uint8Array = synced;
  let isFull = false;

  const apply = (operation: Operation) => {
    unsynced.push(operation);
    content = applied(content, operation);
  };
  const writePart = (bytes: Uint8Array, position: number) => {
    const part = bytes.slice(0, random.int(0, bytes.length - 1));
    if (part.length > 0) apply({ kind: 'write', bytes: part, position });
    faults.count('write-torn');
  };
  const settle = () => {
    synced = content.slice();
    unsynced = [];
  };
  const write = (life: Life, bytes: Uint8Array, position: number) => {
    const wasOver = life.isOver();
    try {
      life.pass();
    } catch (over) {
      // a run that ends just now may have got a part of it through; one that was over already, nothing
      if (!wasOver) writePart(bytes, position);
      throw over;
    }
    if (isFull) {
      writePart(bytes, position);
      throw fault('ENOSPC');
    }
    if (faults.strikes('journal-write-fails', 0.004)) {
      writePart(bytes, position);
      throw fault('EIO');
    }
    apply({ kind: 'write', bytes: bytes.slice(), position });
    life.pass();
  };
  return {
    openedBy: (life) => ({
      read: () => {
        life.pass();
        return content.slice();
      },
      write: (bytes, position) => write(life, bytes, position),
      sync: () => {
        life.pass();
        if (faults.strikes('journal-sync-fails', 0.01)) throw fault('EIO');
        settle();
        life.pass();
      },
      truncate: (sizeBytes) => {
        life.pass();
        if (sizeBytes !== content.length) apply({ kind: 'truncate', sizeBytes });
      },
      replace: (bytes) => {
        life.pass();
        if (isFull) throw fault('ENOSPC');
        content = bytes.slice();
        settle();
        life.pass();
      },
      close: () => {},
    }),
    losePower: () => {
      if (unsynced.length === 0) return;
      const kept = random.int(0, unsynced.length);
      let after: Uint8Array = synced;
      for (const operation of unsynced.slice(0, kept)) after = applied(after, operation);
      const torn = unsynced[kept];
      if (torn?.kind === 'write') {
        const bytes = torn.bytes.slice(0, random.int(0, torn.bytes.length));
        if (bytes.length > 0) after = applied(after, { ...torn, bytes });
      }
      if (kept < unsynced.length) faults.count('unsynced-lost');
      content = after;
      settle();
    },
    setFull: (full) => {
      isFull = full;
    },
    sizeBytes: () => content.length,
  };
};
