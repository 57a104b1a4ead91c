import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../test/temporary-folder.ts';
import { NO_POLICY } from './policy.ts';
import { policySource } from './policy-source.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
  chmodSync(folder.path, 0o700);
  mkdirSync(at('state'), { mode: 0o700 });
});
afterEach(() => folder[Symbol.dispose]());

const at = (name: string) => join(folder.path, name);
const write = (path: string, content: object = {}, mode = 0o600) => {
  writeFileSync(path, JSON.stringify({ version: 1, ...content }));
  chmodSync(path, mode);
};
const source = (file: string | null = null, requireSignatures = false) =>
  policySource(
    { file, usual: [at('state/policy.json'), at('shared.json')], stateFolder: at('state') },
    { form: { isWindows: false, ignoresCase: false }, requireSignatures },
  );

test('without a file nothing is narrowed, unless signatures are required', () => {
  expect(source().read()).toBe(NO_POLICY);
  expect(() => source(null, true).read()).toThrow('--require-signatures: expected a policy');
  expect(() => source(at('none.json')).read()).toThrow('cannot be obeyed');
});

test('it is read anew each time, from where it was first', () => {
  const policy = source();
  expect(policy.read().scripts).toBe('any');
  write(at('shared.json'), { scripts: 'off' });
  expect([policy.read().scripts, policy.find()]).toEqual(['off', at('shared.json')]);
  write(at('shared.json'), { scripts: 'any' });
  expect(policy.read().scripts).toBe('any');
  rmSync(at('shared.json'));
  expect(() => policy.read()).toThrow('Nothing runs here until it can');
});

test('two policies are one too many', () => {
  write(at('shared.json'));
  write(at('state/policy.json'));
  expect(() => source().read()).toThrow('expected one policy');
  expect(source(at('shared.json')).read().scripts).toBe('any');
});

describe.skipIf(process.platform === 'win32')('what others can change is not obeyed', () => {
  test('the file', () => {
    write(at('shared.json'), {}, 0o620);
    expect(() => source().read()).toThrow(/others can write .*shared.json/);
    write(at('shared.json'), {}, 0o644);
    expect(source().read().scripts).toBe('any');
  });
  test('a folder above it, a link to it, or the state folder', () => {
    mkdirSync(at('open'));
    write(at('open/policy.json'));
    symlinkSync(at('open/policy.json'), at('shared.json'));
    expect(source().read().scripts).toBe('any');
    chmodSync(at('open'), 0o777);
    expect(() => source().read()).toThrow(/others can write .*open/);
    // where others may add, and not replace
    chmodSync(at('open'), 0o1777);
    expect(source().read().scripts).toBe('any');
    chmodSync(at('state'), 0o770);
    expect(() => source().read()).toThrow(/others can write .*state/);
  });
  test.skipIf(process.getuid?.() !== 0)('an owner who is neither root nor the agent', () => {
    write(at('shared.json'));
    chownSync(at('shared.json'), 65_534, 65_534);
    expect(() => source().read()).toThrow('belongs to another user');
  });
  test('what is no file, or too long a one', () => {
    mkdirSync(at('shared.json'));
    expect(() => source().read()).toThrow('expected a regular file');
    rmSync(at('shared.json'), { recursive: true });
    writeFileSync(at('shared.json'), ' '.repeat(262_145), { mode: 0o600 });
    expect(() => source().read()).toThrow('at most 262144 bytes');
  });
});
