/** The law is tested on a small repository that breaks it in every way, and on one that keeps it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { importFaults } from './check-imports.ts';
import { cycles } from './find-cycles.ts';
import { forbiddenIn } from './forbidden.ts';
import { functionsOf } from './functions.ts';
import { importsOf } from './imports.ts';
import { readSources, type Source } from './read-sources.ts';

const LAWFUL: Readonly<Record<string, string>> = {
  'packages/contract/src/ids.ts': 'export type Id = string;',
  'packages/server/src/wiring/doors.ts': "import '../store/rows.ts';\nimport '../api/app.ts';\nDate.now();",
  'packages/server/src/start.ts': "import '../src/store/rows.ts';\nimport './api/app.ts';\nDate.now();",
  'packages/server/src/actions/lifecycle.ts':
    "import type { Id } from '@longarm/contract/ids';\nexport type State = Id;",
  'packages/server/src/actions/ports.ts': "import type { State } from './lifecycle.ts';\nexport type Actions = State;",
  'packages/server/src/actions/request.ts':
    "import type { Actions } from './ports.ts';\nimport type { Files } from '../library/ports.ts';\nexport type Request = Actions & Files;",
  'packages/server/src/library/ports.ts': 'export type Files = string;',
  'packages/server/src/api/app.ts':
    "import {\n  type Request,\n} from '../actions/request.ts';\nexport type App = Request;",
  'packages/server/src/store/rows.ts':
    "import type { State } from '../actions/lifecycle.ts';\nimport type { Actions } from '../actions/ports.ts';\nexport type Rows = State & Actions;",
};

const BROKEN: Readonly<Record<string, string>> = {
  'packages/contract/src/up.ts': "import '@longarm/server/api/app';",
  'packages/server/src/api/door.ts': "import '../transfer/door.ts';\nimport '../store/rows.ts';",
  'packages/server/src/transfer/door.ts': 'export {};',
  'packages/server/src/store/use.ts': "export * from '../actions/request.ts';\nexport const x = 1;",
  'packages/server/src/actions/late.ts': "export const load = () => import('../store/rows.ts');",
  'packages/server/src/actions/type.ts': "export type X = import('../store/rows.ts').Rows;",
  'packages/server/src/library/use.ts': "import '../actions/request.ts';",
  'packages/server/src/attic/x.ts': "import '../actions/ports.ts';",
  'packages/server/src/blobs/up.ts': "import '../config.ts';",
  'packages/server/src/config.ts': "import './actions/ports.ts';",
  'packages/server/src/blobs/wired.ts': "import '../wiring/doors.ts';",
  'packages/server/src/bus/self.ts': "import '@longarm/server/bus/other';",
  'packages/server/src/bus/other.ts': "import '../../../contract/src/ids.ts';\nimport './third';",
  'packages/server/src/bus/third.ts': 'export {};',
};

const STYLE: Readonly<Record<string, string>> = {
  'packages/server/src/limits/bad.ts': [
    'export const a = (x: any) => x;',
    'export enum Colour { Red }',
    'export const now = () => [Date.now(), new Date(), new Date(0), Math.random(), process.env, process.pid];',
    'console.log(1);',
    '// @ts-ignore',
    '// TODO later',
    "export const text = 'any enum console.log Date.now()';",
  ].join('\n'),
  'packages/server/src/limits/string-utils.ts': 'export const b = 1;',
  'packages/server/src/limits/CamelCase.ts': 'export const c = 1;',
  'packages/server/src/limits/hub.ts': "export { b } from './string-utils.ts';",
  'packages/server/src/limits/long.ts': `export const long = (a: 1, b: 2, c: 3, d: 4) => {\n${'  a;\n'.repeat(70)}};\n[1].map((one) => {\n  one;\n});`,
};

const CIRCULAR: Readonly<Record<string, string>> = {
  'packages/agent/src/runner/a.ts': "import type { B } from './b.ts';\nexport type A = B;",
  'packages/agent/src/runner/b.ts': "import type { A } from './a.ts';\nexport type B = A;",
  'packages/agent/src/inbox/one.ts': "import '../outbox/two.ts';",
  'packages/agent/src/inbox/three.ts': 'export {};',
  'packages/agent/src/outbox/two.ts': "import '../inbox/three.ts';",
};

let folder = '';
const sourcesOf = async (files: Readonly<Record<string, string>>): Promise<readonly Source[]> => {
  const here = await mkdtemp(join(folder, 'case-'));
  await Bun.write(join(here, 'tsconfig.json'), JSON.stringify({ include: ['packages/*/src'] }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(here, path)), { recursive: true });
    await Bun.write(join(here, path), text);
  }
  return await readSources(here);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longarm-arch-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a lawful repository has no faults', async () => {
  const sources = await sourcesOf(LAWFUL);
  expect(sources).toHaveLength(Object.keys(LAWFUL).length);
  expect(importFaults(sources.flatMap(importsOf))).toEqual([]);
  expect(cycles(sources.flatMap(importsOf))).toEqual([]);
  expect(sources.flatMap(forbiddenIn)).toEqual([]);
});

test('each breach of the import law is told with file and line', async () => {
  const sources = await sourcesOf({ ...LAWFUL, ...BROKEN });
  const told = importFaults(sources.flatMap(importsOf)).map((fault) => fault.slice(0, fault.indexOf(' may import')));
  const expected = [
    'packages/contract/src/up.ts:1: imports @longarm/server/api/app: package law: contract',
    'packages/server/src/api/door.ts:1: imports ../transfer/door.ts: room law: api',
    'packages/server/src/api/door.ts:2: imports ../store/rows.ts: room law: api',
    'packages/server/src/store/use.ts:1: imports ../actions/request.ts: room law: store',
    'packages/server/src/actions/late.ts:1: imports ../store/rows.ts: room law: actions',
    'packages/server/src/actions/type.ts:1: imports ../store/rows.ts: room law: actions',
    'packages/server/src/library/use.ts:1: imports ../actions/request.ts: room law: library',
    'packages/server/src/blobs/wired.ts:1: imports ../wiring/doors.ts: room law: blobs',
  ];
  expect(told).toEqual(expect.arrayContaining(expected));
  const all = importFaults(sources.flatMap(importsOf));
  const others = [
    'attic/x.ts:1: imports ../actions/ports.ts: room law: the room attic is not in tests/arch/law.ts',
    'blobs/up.ts:1: imports ../config.ts: room law: rooms do not import config.ts: it is above them',
    'config.ts:1: imports ./actions/ports.ts: room law: only start.ts and main.ts and data-folder.ts and open-admin.ts and gateway-process.ts of a package know its rooms',
    'bus/self.ts:1: imports @longarm/server/bus/other: import inside a package by a path, not by its own name',
    'bus/other.ts:1: imports ../../../contract/src/ids.ts: import contract by its name, not by a path',
    'bus/other.ts:2: imports ./third: a path ends in .ts',
  ].map((fault) => `packages/server/src/${fault}`);
  expect(all).toEqual(expect.arrayContaining(others));
  expect(all).toHaveLength(expected.length + others.length);
});

test('what is forbidden is found, and only in code', async () => {
  const [bad] = (
    await sourcesOf({ 'packages/server/src/limits/bad.ts': STYLE['packages/server/src/limits/bad.ts'] ?? '' })
  ).map(forbiddenIn);
  const lines = bad?.map((fault) =>
    fault.split(': ').slice(0, 2).join(': ').replace('packages/server/src/limits/', ''),
  );
  expect(lines?.sort()).toEqual([
    'bad.ts:1: any',
    'bad.ts:2: enum',
    'bad.ts:3: Date.now',
    'bad.ts:3: Math.random',
    'bad.ts:3: new Date()',
    'bad.ts:3: process.env',
    'bad.ts:4: console.*',
    'bad.ts:5: the compiler is told to look away',
    'bad.ts:6: unfinished',
  ]);
});

describe('names and sizes', () => {
  const find = async (path: string): Promise<Source> => {
    const source = (await sourcesOf(STYLE)).find((one) => one.path.endsWith(path));
    if (source === undefined) throw new Error(path);
    return source;
  };
  test('vague and unusual names', async () => {
    expect(forbiddenIn(await find('string-utils.ts'))).toEqual([
      expect.stringContaining('utils: name the file after what it holds'),
    ]);
    expect(forbiddenIn(await find('CamelCase.ts'))).toEqual([expect.stringContaining('kebab-case')]);
    expect(forbiddenIn(await find('hub.ts'))).toEqual([expect.stringContaining('a hub')]);
  });
  test('functions are measured', async () => {
    const facts = functionsOf(await find('long.ts'));
    expect(facts).toEqual([
      expect.objectContaining({ name: 'long', line: 1, lineCount: 72, parameterCount: 4, isNamed: true }),
      expect.objectContaining({ line: 73, lineCount: 3, parameterCount: 1, isNamed: false }),
    ]);
  });
});

test('cycles are found among files, and among folders where no file is in one', async () => {
  const found = cycles((await sourcesOf(CIRCULAR)).flatMap(importsOf));
  expect(found).toHaveLength(2);
  expect(found[0]).toContain('packages/agent/src/inbox/one.ts:1 imports ../outbox/two.ts');
  expect(found[0]).toContain('packages/agent/src/outbox/two.ts:1 imports ../inbox/three.ts');
  expect(found[1]).toContain('packages/agent/src/runner/a.ts → packages/agent/src/runner/b.ts');
});
