import { beforeAll, describe, expect, test } from 'bun:test';
import type { Claim } from '@longarm/cli/signing/sign-claim';
import { type Author, newAuthor } from '@longarm/testkit/author';
import { MACHINE, ordered, sha256Of } from '../../test/sealed-envelope.ts';
import { authorFault, type Bearings } from './author-rule.ts';
import { readPolicyText } from './policy.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let ann: Author;
let bob: Author;
beforeAll(async () => {
  [ann, bob] = [await newAuthor('Ann'), await newAuthor('Bob')];
});

const policy = (changes: object = {}) =>
  readPolicyText(
    JSON.stringify({ version: 1, authors: [ann.publicLine], tags: ['lab'], groups: ['edge'], ...changes }),
    {
      form: { isWindows: false, ignoresCase: false },
      requireSignatures: true,
    },
  );

const fault = (
  signatures: readonly string[],
  changes: {
    readonly args?: string;
    readonly bearings?: Partial<Bearings>;
    readonly content?: string;
    readonly name?: string;
  } = {},
) => {
  const { args = '', content = 'x', name = 'a.sh' } = changes;
  const file = { sha256: sha256Of(content), sizeBytes: content.length };
  return authorFault({
    policy: policy(),
    ordered: { ...ordered({ type: 'RunScript', scriptName: name, args }, file), signatures: [...signatures] },
    bearings: { machineId: MACHINE, serverNow: NOW, localNow: NOW, ...changes.bearings },
  });
};
const signed = (changes: Partial<Claim> = {}) => ann.sign('a.sh', 'x', changes);

test('one signature that covers the use is enough, among others that do not', () => {
  expect(fault([signed()])).toBeNull();
  expect(fault([bob.sign('a.sh', 'x'), signed({ uses: ['PutFile'] }), signed()])).toBeNull();
  expect(fault([])).toContain('the file has none');
  expect(fault([bob.sign('a.sh', 'x'), 'a.b.c'])).toContain('got 2 that do not');
});

test('it is bound to name, bytes and use', () => {
  expect(fault([signed()], { name: 'b.sh' })).toContain('a file named "a.sh"');
  expect(fault([signed()], { name: 'A.sh' })).toContain('a file named');
  expect(fault([signed()], { content: 'y' })).toContain('other bytes');
  expect(fault([signed({ sizeBytes: 2 })])).toContain('other bytes');
  expect(fault([signed({ uses: ['PutFile', 'GetFile'] })])).toContain('not for RunScript');
});

test('arguments are judged as the script gets them, however they are written', () => {
  const one = [signed({ arguments: [[{ kind: 'exact', text: 'a b' }]] })];
  for (const args of ['"a b"', "'a b'", ' a" "b ']) expect(fault(one, { args })).toBeNull();
  for (const args of ['a b', '"a b" c', '', '"a  b"']) expect(fault(one, { args })).toContain('other arguments');
});

describe('machines: by id, or by what the device calls itself', () => {
  const only = (machines: object) => fault([signed({ machines: { ids: [], tags: [], groups: [], ...machines } })]);
  test('its own', () => {
    expect([only({ ids: [MACHINE] }), only({ tags: ['x', 'lab'] }), only({ groups: ['edge'] })]).toEqual([
      null,
      null,
      null,
    ]);
  });
  test('others', () => {
    for (const machines of [{}, { ids: ['cd'.repeat(20)] }, { tags: ['edge'] }, { groups: ['lab'] }, { tags: ['Lab'] }])
      expect(only(machines)).toContain('other machines');
  });
});

describe('time', () => {
  const until = (expiresAt: number, bearings: Partial<Bearings>) => fault([signed({ expiresAt })], { bearings });
  test('ends by server time, to the millisecond', () => {
    expect(until(NOW + 1, {})).toBeNull();
    expect(until(NOW, {})).toContain('expired');
  });
  test('a device whose own clock is wrong by hours works', () => {
    expect(until(NOW + HOUR, { localNow: NOW + 23 * HOUR })).toBeNull();
    expect(fault([signed({ notBefore: NOW - HOUR })], { bearings: { localNow: NOW - 23 * HOUR } })).toBeNull();
  });
  test('a server that lies about the time gains a day at most', () => {
    expect(until(NOW, { serverNow: NOW - 900 * DAY, localNow: NOW + DAY - 1 })).toBeNull();
    expect(until(NOW, { serverNow: NOW - 900 * DAY, localNow: NOW + DAY })).toContain('expired');
    const early = [signed({ notBefore: NOW })];
    expect(fault(early, { bearings: { serverNow: NOW + DAY, localNow: NOW - DAY } })).toBeNull();
    expect(fault(early, { bearings: { serverNow: NOW + DAY, localNow: NOW - DAY - 1 } })).toContain('not count yet');
  });
});

test('an altered claim, or a claim of one author under the key of another, is not believed', () => {
  const [header = '', body = '', signature = ''] = signed().split('.');
  const claim = { ...JSON.parse(Buffer.from(body, 'base64url').toString()), expiresAt: NOW * 2 };
  const altered = Buffer.from(JSON.stringify(claim)).toString('base64url');
  expect(fault([`${header}.${altered}.${signature}`])).toContain('not made with the key of Ann');
  const foreign = JSON.parse(Buffer.from(bob.sign('a.sh', 'x').split('.')[1] ?? '', 'base64url').toString());
  const posing = Buffer.from(JSON.stringify({ ...foreign, authorKeyId: claim.authorKeyId })).toString('base64url');
  expect(fault([`${header}.${posing}.${bob.sign('a.sh', 'x').split('.')[2]}`])).toContain(
    'not made with the key of Ann',
  );
  const otherType = Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'longarm-envelope+jws' })).toString('base64url');
  expect(fault([`${otherType}.${body}.${signature}`])).toContain('not made with');
});
