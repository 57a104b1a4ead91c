/** Holds imports against the law. Every fault is a sentence with file and line. */
import type { Import } from './imports.ts';
import { type Extent, PACKAGES, ROOMS, WIRING, WIRING_ROOM } from './law.ts';

/** Where a file lies: `packages/server/src/store/odata/x.ts` → server, store; `room` is null for a file of `src` itself. */
type Place = { readonly package: string; readonly room: string | null; readonly inside: string };

const placeOf = (path: string): Place | null => {
  const [, name, inside] = /^packages\/([^/]+)\/src\/(.+)$/.exec(path) ?? [];
  if (name === undefined || inside === undefined) return null;
  const [room, ...rest] = inside.split('/');
  return { package: name, room: rest.length > 0 && room !== undefined ? room : null, inside };
};

const packageFault = (from: Place, to: Place): string | null => {
  const allowed = PACKAGES[from.package];
  if (allowed === undefined) return `the package ${from.package} is not in tests/arch/law.ts`;
  if (allowed.includes(to.package)) return null;
  return `package law: ${from.package} may import ${allowed.join(', ') || 'no package of ours'}, not ${to.package}`;
};

/**
 * Files that are no pure rules: ports, what knows a port, and what knows a package other than the contract. A file
 * that knows nothing but the contract and pure rules is one.
 */
const impureFiles = (imports: readonly Import[]): ReadonlySet<string> => {
  const isForeign = ({ from, to }: Import): boolean => {
    const target = to === null ? null : placeOf(to);
    return target !== null && target.package !== 'contract' && target.package !== placeOf(from)?.package;
  };
  const isPort = (path: string): boolean => path.endsWith('/ports.ts');
  const impure = new Set(imports.flatMap(({ from, to }) => [from, to ?? '']).filter(isPort));
  for (let before = -1; before !== impure.size; ) {
    before = impure.size;
    for (const one of imports) if (isForeign(one) || impure.has(one.to ?? '')) impure.add(one.from);
  }
  return impure;
};

type Reach = { readonly extent: Extent | undefined; readonly isRule: boolean };

const isReached = ({ inside }: Place, { extent, isRule }: Reach): boolean => {
  const isPort = inside.endsWith('/ports.ts');
  return extent === 'all' || (extent !== undefined && isPort) || (extent === 'rules' && isRule);
};

const WHAT: Readonly<Record<Extent, string>> = {
  all: '',
  ports: ' (ports.ts only)',
  rules: ' (ports and pure rules only)',
};

const isWiring = ({ inside, room }: Place): boolean => WIRING.includes(inside) || room === WIRING_ROOM;

const roomFault = (from: Place, to: Place, isRule: boolean): string | null => {
  const rooms = ROOMS[from.package];
  if (rooms === undefined || from.room === to.room || isWiring(from)) return null;
  if (from.room === null)
    return to.room === null ? null : `room law: only ${WIRING.join(' and ')} of a package know its rooms`;
  if (to.room === null) return `room law: rooms do not import ${to.inside}: it is above them`;
  const law = rooms[from.room];
  if (law === undefined) return `room law: the room ${from.room} is not in tests/arch/law.ts`;
  if (isReached(to, { extent: law[to.room], isRule })) return null;
  const allowed = Object.entries(law).map(([room, extent]) => room + WHAT[extent]);
  return `room law: ${from.room} may import ${allowed.join(', ') || 'no other room'}, not ${to.inside}`;
};

const formFault = ({ specifier }: Import, from: Place, to: Place): string | null => {
  const isRelative = specifier.startsWith('.');
  if (isRelative && from.package !== to.package) return `import ${to.package} by its name, not by a path`;
  if (!isRelative && from.package === to.package) return 'import inside a package by a path, not by its own name';
  // a script that browsers are sent is imported as its text
  if (isRelative && !/\.(?:tsx?|js)$/.test(specifier)) return 'a path ends in .ts';
  return null;
};

/** The faults of imports of files that are neither tests nor of other folders than packages. */
export const importFaults = (imports: readonly Import[]): readonly string[] => {
  const impure = impureFiles(imports);
  return imports.flatMap((one) => {
    const [from, to] = [placeOf(one.from), one.to === null ? null : placeOf(one.to)];
    if (from === null || to === null) return [];
    const law = from.package === to.package ? roomFault(from, to, !impure.has(one.to ?? '')) : packageFault(from, to);
    const faults = [law, formFault(one, from, to)].filter((fault) => fault !== null);
    return faults.map((fault) => `${one.from}:${one.line}: imports ${one.specifier}: ${fault}`);
  });
};
