/**
 * The owner of the server turns hostile: database, blobs and the key that signs envelopes are in the attacker's hands. A
 * device that requires authors executes nothing but what an author signed, and gives nothing that its policy keeps.
 */
import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { createPrivateKey, sign } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENVELOPE_TYPE } from '@longarm/contract/wire/envelope';
import type { Json } from '@longarm/testkit/api-caller';
import { type Author, newAuthor } from '@longarm/testkit/author';
import {
  getFile,
  isFinal,
  openSite,
  putFile,
  runScript,
  type TestAgent,
  type TestSite,
} from '@longarm/testkit/test-site';

setDefaultTimeout(60_000);

let site: TestSite;
let device: TestAgent;
let author: Author;
let stranger: Author;
let secrets: string;
let open: string;
const marker = (name: string) => join(site.folder, 'markers', name);

/** Leaves a mark named after its first argument, so that whatever runs is seen. */
const script = () => `touch "${join(site.folder, 'markers')}/$1"\n`;

const writePolicy = (changes: object = {}) =>
  writeFile(
    join(device.state, 'policy.json'),
    JSON.stringify({
      version: 1,
      commands: ['PutFile', 'RunScript', 'GetFile'],
      authors: [author.publicLine],
      tags: ['lab'],
      getFile: { allow: [`${site.folder}/**`], deny: [`${secrets}/**`, '**/*.key'] },
      ...changes,
    }),
    { mode: 0o600 },
  );

/** The attacker's hands: SQL on the store, and the server's own key. */
const database = <Result>(use: (db: Database) => Result): Result => {
  const db = new Database(join(site.folder, 'data', 'store.db'));
  try {
    db.run('pragma busy_timeout = 10000');
    return use(db);
  } finally {
    db.close();
  }
};

const serverKey = () => {
  const folder = join(site.folder, 'data');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/envelope/i.test(name)) continue;
    const text = readFileSync(join(folder, name), 'utf8');
    if (text.includes('PRIVATE KEY')) return createPrivateKey(text);
  }
  throw new Error('the key that signs envelopes was not found');
};

const forge = (payload: object): string => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg: 'EdDSA', typ: ENVELOPE_TYPE })}.${encode(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), serverKey()).toString('base64url')}`;
};

const payloadOf = (envelope: string): Json =>
  JSON.parse(Buffer.from(envelope.split('.')[1] ?? '', 'base64url').toString());

const library = async (name: string, content: string, signatures: readonly string[] = []) => {
  const fields = { OverrideIfExists: 'true', ...(signatures.length === 0 ? {} : { Signature: signatures.join('\n') }) };
  expect((await site.api.upload(name, content, fields)).status).toBe(200);
};

const ended = async (commands: readonly object[]): Promise<Json> => {
  const { json, status, text } = await site.run(device.machineId, commands);
  if (status !== 200) throw new Error(`${status} ${text}`);
  return site.until(json.id, isFinal);
};

/** What the device said of its first command that failed. */
const refusal = (action: Json): string => {
  expect(action.status).toBe('Failed');
  return action.commands.flatMap((command: Json) => command.errors).join('\n');
};

/** The server's own count goes on from there: what it signs itself later is not refused for its age. */
const nextCounter = (): number =>
  database(
    (db) =>
      db
        .query<{ n: number }, [string]>(
          'update machines set envelope_counter = envelope_counter + 1 where id = ? returning envelope_counter as n',
        )
        .get(device.machineId)?.n ?? 0,
  );

/**
 * Requests a run while the device is away, lets the attacker rewrite what the device will be offered, signed with the
 * server's own key, and brings the device back. Each gets a mark of its own.
 */
const offerForged = async (commands: readonly object[], change: (payload: Json) => Json): Promise<Json> => {
  await device.kill();
  const { json } = await site.run(device.machineId, commands);
  // an envelope as the server makes them: of an earlier action of this machine, with a counter of its own
  const earlier = database((db) =>
    db
      .query<{ envelope: string }, []>('select envelope from actions where envelope is not null order by seq desc')
      .get(),
  );
  const rows = database((db) =>
    db
      .query<{ parsed: string; file_sha256: string | null; file_size: number; file_signatures: string }, [string]>(
        'select * from commands where action_id = ? order by idx',
      )
      .all(json.id),
  );
  const payload = change({
    ...payloadOf(earlier?.envelope ?? ''),
    actionId: json.id,
    commands: rows.map((row) => ({
      command: JSON.parse(row.parsed),
      file: row.file_sha256 === null ? null : { sha256: row.file_sha256, sizeBytes: row.file_size },
      timeLimitSeconds: 60,
      signatures: JSON.parse(row.file_signatures),
    })),
    issuedAt: Date.now(),
    expiresAt: Date.now() + 600_000,
    counter: nextCounter(),
  });
  database((db) => {
    db.query('update actions set envelope = ? where id = ?').run(forge(payload), json.id);
    for (const [index, { file }] of payload.commands.entries())
      if (file !== null)
        db.query('update commands set file_sha256 = ?, file_size = ? where action_id = ? and idx = ?').run(
          file.sha256,
          file.sizeBytes,
          json.id,
          index,
        );
  });
  await device.start();
  return site.until(json.id, isFinal);
};

beforeAll(async () => {
  site = await openSite();
  secrets = join(site.folder, 'secrets');
  open = join(site.folder, 'open');
  for (const folder of [secrets, open, join(site.folder, 'markers')]) await mkdir(folder);
  await writeFile(join(secrets, 'plan.txt'), 'secret');
  await writeFile(join(open, 'note.txt'), 'not secret');
  await writeFile(join(open, 'id.key'), 'secret key');
  author = await newAuthor();
  stranger = await newAuthor('Mallory');
  device = await site.agent();
  await writePolicy();
  await library('mark.sh', script(), [
    author.sign('mark.sh', script(), {
      arguments: [[{ kind: 'one-of', texts: ['good', 'warm'] }]],
      machines: { ids: [], tags: ['lab'], groups: [] },
    }),
  ]);
});
afterAll(() => site.close());

test('what the author signed runs, with arguments that the author allowed', async () => {
  expect((await ended([runScript('mark.sh', 'good')])).status).toBe('Succeeded');
  expect(existsSync(marker('good'))).toBe(true);
});

test('other arguments do not, asked for by the API or forged with the key of the server', async () => {
  expect(refusal(await ended([runScript('mark.sh', 'bad-args')]))).toContain('rule scripts: expected a signature');
  const forged = await offerForged([runScript('mark.sh', 'good')], (payload) => ({
    ...payload,
    commands: payload.commands.map((command: Json) => ({
      ...command,
      command: { ...command.command, args: 'forged-args' },
    })),
  }));
  expect(refusal(forged)).toContain('it allows other arguments');
  expect([existsSync(marker('bad-args')), existsSync(marker('forged-args'))]).toEqual([false, false]);
});

test('a forged envelope that asks for what is signed is obeyed: the forging is real', async () => {
  expect((await offerForged([runScript('mark.sh', 'warm')], (payload) => payload)).status).toBe('Succeeded');
  expect(existsSync(marker('warm'))).toBe(true);
});

test('a new script runs neither unsigned, nor signed by a stranger, nor under a signature of something else', async () => {
  const evil = `${script()}# other bytes\n`;
  const name = 'evil.sh';
  const altered = author.sign(name, evil).replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
  const cases: [string, string[], string][] = [
    ['unsigned', [], 'the file has none'],
    ['stranger', [stranger.sign(name, evil)], 'its author is not listed here'],
    ['expired', [author.sign(name, evil, { notBefore: 0, expiresAt: 1_000_000_000_000 })], 'it has expired'],
    ['early', [author.sign(name, evil, { notBefore: 4_000_000_000_000 })], 'it does not count yet'],
    [
      'other-machine',
      [author.sign(name, evil, { machines: { ids: [], tags: ['office'], groups: ['lab'] } })],
      'other machines',
    ],
    ['put-only', [author.sign(name, evil, { uses: ['PutFile'] })], 'it is not for RunScript'],
    ['altered', [`${altered.slice(0, -20)}AAAA${altered.slice(-16)}`], 'was not made with the key of Ann Author'],
  ];
  for (const [mark, signatures, why] of cases) {
    await site.api.call(`/api/libraryfiles/${name}`, { method: 'DELETE' });
    await library(name, evil, signatures);
    expect(refusal(await ended([runScript(name, mark)]))).toContain(why);
    expect(existsSync(marker(mark))).toBe(false);
  }
  // a signature of another file, written past the server's own check
  database((db) =>
    db
      .query('update library_files set signatures = ? where name = ?')
      .run(JSON.stringify([author.sign('mark.sh', script()), author.sign(name, script())]), name),
  );
  expect(refusal(await ended([runScript(name, 'replayed')]))).toMatch(/a file named "mark.sh"; it is for other bytes/);
  expect(existsSync(marker('replayed'))).toBe(false);
});

test('signed bytes under another name are not run by another interpreter', async () => {
  const both = `touch "${join(site.folder, 'markers')}/renamed"\n`;
  await library('data.txt', both, [author.sign('data.txt', both)]);
  const forged = await offerForged([runScript('data.txt')], (payload) => ({
    ...payload,
    commands: payload.commands.map((command: Json) => ({
      ...command,
      command: { ...command.command, scriptName: 'data.sh' },
    })),
  }));
  expect(refusal(forged)).toContain('it is for a file named "data.txt"');
  expect(existsSync(marker('renamed'))).toBe(false);
});

test('the tags that the server gives a device do not count: those in its own policy do', async () => {
  const tagged = `${script()}# tagged\n`;
  await library('tagged.sh', tagged, [
    author.sign('tagged.sh', tagged, { machines: { ids: [], tags: ['servers'], groups: [] } }),
  ]);
  const answer = await site.api.post(`/api/machines/${device.machineId}/tags`, { Value: 'servers', Action: 'Add' });
  expect(answer.status).toBeLessThan(300);
  expect(refusal(await ended([runScript('tagged.sh', 'by-tag')]))).toContain('other machines');
  expect(existsSync(marker('by-tag'))).toBe(false);
});

test('a blob that was swapped under its right name is not executed', async () => {
  const honest = `${script()}# honest\n`;
  await library('swapped.sh', honest, [author.sign('swapped.sh', honest)]);
  const sha256 = new Bun.CryptoHasher('sha256').update(honest).digest('hex');
  const data = join(site.folder, 'data');
  const blob = readdirSync(data, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith(sha256));
  const evil = honest.replace('# honest', '#  evil ').replace('$1', '$1');
  await writeFile(join(data, blob ?? ''), evil.slice(0, honest.length));
  expect(refusal(await ended([runScript('swapped.sh', 'swapped')]))).toContain('swapped.sh');
  expect(existsSync(marker('swapped'))).toBe(false);
});

test('a library file is put only when it is signed for that, so no signed script meets one that is not', async () => {
  const lib = 'touch evil-lib\n';
  await library('lib.sh', lib, [author.sign('lib.sh', lib)]);
  expect(refusal(await ended([putFile('lib.sh')]))).toContain('rule putFile.files');
  expect(existsSync(join(device.state, 'working-folder', 'lib.sh'))).toBe(false);
  await library('lib.sh', lib, [author.sign('lib.sh', lib, { uses: ['PutFile'] })]);
  expect((await ended([putFile('lib.sh')])).status).toBe('Succeeded');
});

test('nothing is collected that the policy keeps: not by its path, by links, by relative paths, or beside a put file', async () => {
  const link = join(open, 'innocent.txt');
  await symlink(join(secrets, 'plan.txt'), link);
  await symlink(secrets, join(open, 'folder'));
  const up = '../'.repeat(3);
  const cases = [
    join(secrets, 'plan.txt'),
    link,
    join(open, 'folder', 'plan.txt'),
    join(open, '..', 'secrets', 'plan.txt'),
    `${open}//../secrets/./plan.txt`,
    `/proc/self/root${secrets}/plan.txt`,
    `${up}${up}..${secrets}/plan.txt`,
    '../../secrets/plan.txt',
    join(open, 'id.key'),
    '../key.pem/../../open/id.key',
    '/etc/passwd',
  ];
  for (const path of cases) {
    const action = await ended([getFile(path)]);
    expect([path, action.status]).toEqual([path, 'Failed']);
  }
  expect((await ended([getFile(join(open, 'note.txt'))])).status).toBe('Succeeded');
  const results = database((db) =>
    db.query<{ n: number }, []>("select count(*) n from results where stream = 'file'").get(),
  );
  expect(results?.n).toBe(1);
});

test('forged for another device, an envelope is refused whole', async () => {
  const action = await offerForged([runScript('mark.sh', 'warm')], (payload) => ({
    ...payload,
    machineId: 'ab'.repeat(20),
  }));
  expect(action.status).toBe('Failed');
});

test('a policy that is broken, open to others, or taken away stops everything, with a sentence', async () => {
  await rm(marker('good'), { force: true });
  await writeFile(join(device.state, 'policy.json'), '{"version":1,"autors":[]}');
  expect(refusal(await ended([runScript('mark.sh', 'good')]))).toMatch(/policy cannot be obeyed.*autors/);
  await rm(join(device.state, 'policy.json'));
  expect(refusal(await ended([runScript('mark.sh', 'good')]))).toContain('policy cannot be obeyed');
  await writePolicy({ scripts: 'off' });
  expect(refusal(await ended([runScript('mark.sh', 'good')]))).toContain('rule scripts: it is off');
  expect(existsSync(marker('good'))).toBe(false);
  await writePolicy();
  expect((await ended([runScript('mark.sh', 'good')])).status).toBe('Succeeded');
});
