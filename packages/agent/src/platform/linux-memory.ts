/**
 * Gives back the memory that holds the program's own code (madvise(2), MADV_DONTNEED): an agent at rest needs little
 * of what starting and connecting touched. The pages are read-only and unchanged, so what is needed again comes from
 * the file. The kernel would do the same when memory is short; this way the figure that people see is what it needs.
 */
import { dlopen, FFIType } from 'bun:ffi';
import { readFileSync } from 'node:fs';

const MADV_DONTNEED = 4;
/** The C library's names, of glibc and of musl. */
const LIBRARIES = ['libc.so.6', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1'] as const;

type Advise = (start: bigint, length: bigint, advice: number) => number;

const openAdvise = (): Advise | null => {
  for (const library of LIBRARIES) {
    try {
      const { symbols } = dlopen(library, {
        madvise: { args: [FFIType.u64, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
      });
      return symbols.madvise;
    } catch {
      // the next name
    }
  }
  return null;
};

export type CodeMapping = { readonly start: bigint; readonly length: bigint };

/** Private mappings of a file that may be executed and not written: nothing in them is this process's own. */
export const codeMappings = (maps: string): readonly CodeMapping[] =>
  [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \S+ +\/.*$/gm)].map(([, from = '0', to = '0']) => {
    const start = BigInt(`0x${from}`);
    return { start, length: BigInt(`0x${to}`) - start };
  });

/** What gives the memory back; where it cannot be done, nothing happens. */
export const memoryTrimmer = (): (() => void) => {
  let advise: Advise | null | undefined;
  return () => {
    advise ??= openAdvise();
    if (advise === null) return;
    for (const { start, length } of codeMappings(readFileSync('/proc/self/maps', 'utf8'))) {
      advise(start, length, MADV_DONTNEED);
    }
  };
};
