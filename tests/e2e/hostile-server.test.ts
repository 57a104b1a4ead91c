/** A server that lies: each lie is refused with its reason, and the agent goes on working with an honest one. */
import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FRAME_TO_AGENT_BYTES } from '@longarm/contract/limits';
import { ENVELOPE_TYPE } from '@longarm/contract/wire/envelope';
import type { Json } from '@longarm/testkit/api-caller';
import { type HostileServer, openHostileServer } from '@longarm/testkit/hostile-server';
import { type Program, startProgram } from '@longarm/testkit/programs';
import { isFinal, openSite, runScript, type TestAgent, type TestSite } from '@longarm/testkit/test-site';
import { until } from '@longarm/testkit/until';

setDefaultTimeout(60_000);

let site: TestSite;
let hostile: HostileServer;
let enrolled: TestAgent;
let envelopeKey: KeyObject;
let tenantId: string;
let agent: Program;
let counter = 0;

const startAt = async (url: string): Promise<Program> => {
  const program = startProgram('longarm-agent', ['--server', url, '--state', enrolled.state]);
  await program.line(/connected as/);
  return program;
};

beforeAll(async () => {
  site = await openSite();
  hostile = openHostileServer();
  enrolled = await site.agent();
  await enrolled.kill();
  const pem = await readFile(join(site.folder, 'data', 'keys', 'envelope-key.pem'), 'utf8');
  envelopeKey = createPrivateKey(pem);
  tenantId = JSON.parse(await readFile(join(enrolled.state, 'identity.json'), 'utf8')).tenantId;
  agent = await startAt(hostile.url);
});
afterAll(async () => {
  await agent.end('SIGKILL');
  await hostile.stop();
  await site.close();
});

const sha256Of = (text: string): string => new Bun.CryptoHasher('sha256').update(text).digest('hex');
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const seal = (payload: object, key: KeyObject): string => {
  const input = `${encode({ alg: 'EdDSA', typ: ENVELOPE_TYPE })}.${encode(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
};

const putFileOf = (fileName: string, content: string, pinned = content): object => ({
  command: { type: 'PutFile', fileName, overwrite: true, keep: false },
  file: { sha256: sha256Of(pinned), sizeBytes: content.length },
  timeLimitSeconds: 60,
});
const runScriptOf = (scriptName: string, content: string): object => ({
  command: { type: 'RunScript', scriptName, args: '' },
  file: { sha256: sha256Of(content), sizeBytes: content.length },
  timeLimitSeconds: 60,
});

/** An order as the device's own server would give it, but for the changes. */
const order = (changes: Json = {}): Json => ({
  version: 1,
  actionId: crypto.randomUUID(),
  machineId: enrolled.machineId,
  tenantId,
  commands: [putFileOf('harmless.txt', 'harmless')],
  maxGetBytes: 1_000_000,
  maxOutputBytes: 1_000_000,
  stopOnNonzeroExit: false,
  issuedAt: Date.now(),
  expiresAt: Date.now() + 60_000,
  epoch: 0,
  counter: ++counter,
  ...changes,
});

const offer = (payload: Json, more: { readonly key?: KeyObject; readonly actionId?: string } = {}): string => {
  const actionId = more.actionId ?? payload.actionId;
  hostile.send(
    JSON.stringify({ type: 'offer', actionId, envelope: seal(payload, more.key ?? envelopeKey), ticket: 'ticket' }),
  );
  return actionId;
};

/** The facts about the action, as soon as one of this kind is among them. */
const factsUntil = (actionId: string, kind: string): Promise<Json> =>
  until(
    async () => hostile.factsOf(actionId),
    (facts) => facts.some((fact) => fact.kind === kind),
  );

describe('frames that cannot be read: said in the log, and the agent connects anew', () => {
  const hello = { type: 'hello', protocol: 1, nonce: 'n', serverTime: 0 };
  const cases: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['rubbish', 'rub{bish', /expected JSON in a frame/],
    ['a binary frame', new Uint8Array([1, 2, 3]), /expected a text frame, got a binary one/],
    [
      'one that is too long',
      `"${'x'.repeat(FRAME_TO_AGENT_BYTES)}"`,
      /expected at most \d+ bytes in a frame, got more/,
    ],
    ['an unknown type', '{"type":"format-disk"}', /frame: type/],
    ['unknown fields', JSON.stringify({ type: 'heartbeat', serverTime: 1, also: 'rm' }), /frame: /],
    ['one out of turn', JSON.stringify(hello), /got hello/],
  ];
  beforeEach(async () => {
    // a life of its own each, so that pauses do not add up
    await agent.end('SIGKILL');
    agent = await startAt(hostile.url);
  });
  test.each(cases)('%s', async (_name, data, reason) => {
    const before = hostile.welcomed();
    hostile.send(data);
    await agent.line(new RegExp(`not connected reason=[^\\n]*${reason.source}`));
    await hostile.untilWelcomed(before + 1);
  });
});

describe('orders that are not to be obeyed: refused with the reason, and nothing is begun', () => {
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const cases: readonly (readonly [string, () => string, RegExp])[] = [
    ['signed by another key', () => offer(order(), { key: stranger }), /not signed by the key/],
    ['for another machine', () => offer(order({ machineId: 'a'.repeat(40) })), /another machine/],
    ['of another tenant', () => offer(order({ tenantId: crypto.randomUUID() })), /another tenant/],
    ['expired', () => offer(order({ expiresAt: Date.now() - 1_000 })), /has expired/],
    ['offered as another action', () => offer(order(), { actionId: crypto.randomUUID() }), /of another action/],
    [
      'a command that nobody knows',
      () => offer(order({ commands: [{ command: { type: 'WipeDisk' }, file: null, timeLimitSeconds: 1 }] })),
      /does not understand/,
    ],
    [
      'a name that leads out of the working folder',
      () => offer(order({ commands: [putFileOf('../../escaped.txt', 'x')] })),
      /file name|does not understand/,
    ],
    ['a version of tomorrow', () => offer(order({ version: 2 })), /does not understand: version/],
    ['nothing from the library', () => offer(order({ commands: [{ ...putFileOf('a', 'x'), file: null }] })), /pinned/],
  ];
  test.each(cases)('%s', async (_name, send, reason) => {
    const actionId = send();
    const facts = await factsUntil(actionId, 'refused');
    expect(facts).toHaveLength(1);
    expect(facts[0].reason).toMatch(reason);
    await agent.line(new RegExp(`refused an offer actionId=${actionId}`));
  });

  test('text that is no envelope', async () => {
    const actionId = crypto.randomUUID();
    hostile.send(JSON.stringify({ type: 'offer', actionId, envelope: 'obey me', ticket: '' }));
    expect((await factsUntil(actionId, 'refused'))[0].reason).toContain('expected a JWS');
  });
});

test('an order that is offered again runs once; one with a counter that was used already is refused', async () => {
  const script = `echo run >> ${site.folder}/hostile-runs\n`;
  hostile.serveFile(sha256Of(script), script);
  const once = order({ commands: [runScriptOf('once.sh', script)] });
  offer(once);
  offer(once);
  await factsUntil(once.actionId, 'action-ended');
  offer(once);
  await until(
    async () => hostile.factsOf(once.actionId).filter((fact) => fact.kind === 'action-ended').length,
    (count) => count === 2,
  );
  expect(await readFile(join(site.folder, 'hostile-runs'), 'utf8')).toBe('run\n');
  const replayed = offer(order({ counter: once.counter }));
  expect((await factsUntil(replayed, 'refused'))[0].reason).toContain('older than one');
});

test('a library file that is another than the order pins fails, and nothing of it is put anywhere', async () => {
  const given = 'format c:';
  hostile.serveFile(sha256Of('harmless?'), given);
  const { actionId } = order();
  offer(order({ actionId, commands: [putFileOf('swapped.txt', given, 'harmless?')] }));
  const facts = await factsUntil(actionId, 'action-ended');
  const finished = facts.find((fact: Json) => fact.kind === 'command-finished');
  expect(finished).toMatchObject({ outcome: 'Failed' });
  expect(finished.errors.join(' ')).toContain('it was changed on the server or on the way');
  const put = join(enrolled.state, 'working-folder', 'swapped.txt');
  expect(await Bun.file(put).exists()).toBe(false);
});

test('with an honest server it works as ever', async () => {
  await agent.end();
  // as a restored server would: the lies that were signed rightly have used up counters
  const store = new Database(join(site.folder, 'data', 'store.db'));
  store.run('update machines set envelope_counter = ?', [counter]);
  store.close();
  agent = await startAt(site.url);
  await site.api.upload('honest.sh', 'echo honest\n');
  const { json } = await site.run(enrolled.machineId, [runScript('honest.sh')]);
  expect((await site.until(json.id, isFinal)).status).toBe('Succeeded');
});
