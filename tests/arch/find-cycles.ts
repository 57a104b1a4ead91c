/** Cycles, at every folder among its entries: a file counts by itself, a folder as everything below it. */
import type { Import } from './imports.ts';

type Edge = { readonly from: string; readonly to: string; readonly because: Import };

/** Below the folder that both share, the entry on each side: `a/b/c.ts`, `a/d.ts` → `a/b`, `a/d.ts`. */
const entriesApart = (from: string, to: string): readonly [string, string] => {
  const [left, right] = [from.split('/'), to.split('/')];
  let shared = 0;
  while (left[shared] !== undefined && left[shared] === right[shared]) shared++;
  return [left.slice(0, shared + 1).join('/'), right.slice(0, shared + 1).join('/')];
};

const edgesOf = (imports: readonly Import[]): readonly Edge[] =>
  imports.flatMap((because) => {
    if (because.to === null || because.to === because.from) return [];
    const [from, to] = entriesApart(because.from, because.to);
    return [{ from, to, because }];
  });

/** A way from the start back to it, or null. */
const cycleFrom = (start: string, edges: ReadonlyMap<string, readonly Edge[]>): readonly Edge[] | null => {
  const seen = new Set<string>();
  const ways: (readonly Edge[])[] = [[]];
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const here = way.at(-1)?.to ?? start;
    for (const edge of edges.get(here) ?? []) {
      if (edge.to === start) return [...way, edge];
      if (seen.has(edge.to)) continue;
      seen.add(edge.to);
      ways.push([...way, edge]);
    }
  }
  return null;
};

const describe = (cycle: readonly Edge[]): string => {
  const steps = cycle.map(
    ({ from, to, because }) => `  ${from} → ${to}: ${because.from}:${because.line} imports ${because.specifier}`,
  );
  return [`cycle of ${cycle.length}:`, ...steps].join('\n');
};

/** One cycle for each group of entries that hang together, the shortest through its first member. */
export const cycles = (imports: readonly Import[]): readonly string[] => {
  const edges = Map.groupBy(edgesOf(imports), ({ from }) => from);
  const told = new Set<string>();
  const found: string[] = [];
  for (const start of [...edges.keys()].sort()) {
    if (told.has(start)) continue;
    const cycle = cycleFrom(start, edges);
    if (cycle === null) continue;
    for (const { from } of cycle) told.add(from);
    found.push(describe(cycle));
  }
  return found;
};
