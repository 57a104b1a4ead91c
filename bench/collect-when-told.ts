/**
 * For `bun --preload`: on SIGUSR2 the process collects its garbage and gives the memory back, and says into the file of
 * LONGARM_BENCH_HEAP what is left: one JSON line with milliseconds that it took, and objects by type.
 */

import { heapStats } from 'bun:jsc';
import { appendFileSync } from 'node:fs';

process.on('SIGUSR2', () => {
  const start = performance.now();
  Bun.gc(true);
  const collectMs = performance.now() - start;
  Bun.shrink();
  const { heapSize, objectCount, objectTypeCounts } = heapStats();
  const file = process.env.LONGARM_BENCH_HEAP;
  const line = { collectMs, shrinkMs: performance.now() - start - collectMs, heapSize, objectCount, objectTypeCounts };
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`);
});
