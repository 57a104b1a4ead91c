/** Every refusal of the REST API: its code, status and body, and that it changed nothing (wire contract 1.12). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ERROR_CODES, ERRORS, type ErrorCode } from '@longarm/contract/errors';
import { COMMANDS_PER_ACTION, JSON_BODY_BYTES, PARAMETER_VALUE_CHARACTERS } from '@longarm/contract/limits';
import type { Answer } from '@longarm/testkit/api-caller';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';
import { snapshot, storeRows } from './store-rows.ts';

const NO_ID = '00000000-0000-4000-8000-000000000000';
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const GET_FILE = { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] };
const command = (type: string, ...params: readonly (readonly [string, string])[]) => ({
  type,
  params: params.map(([key, value]) => ({ key, value })),
});

let server: TestServer;
let machine: string;
beforeAll(async () => {
  server = await startTestServer(['--limit', 'sessions=1', '--strict-args', '--log-level', 'silent']);
  machine = (await server.absentDevice('idle')).machineId;
});
afterAll(() => server.stop());

const run = (body: unknown, headers: Readonly<Record<string, string>> = {}, id = machine) =>
  server.api.post(`/api/machines/${id}/runliveresponse`, body, headers);
const runOne = (...params: Parameters<typeof command>) => run({ Commands: [command(...params)] });
const get = (path: string) => server.api.call(path);
const filter = (text: string) => get(`/api/machineactions?$filter=${encodeURIComponent(text)}`);
const upload = (body: string, contentType: string) =>
  server.api.post('/api/libraryfiles', body, { 'content-type': contentType });

const expectRefusal = (answer: Answer, code: ErrorCode, says: string) => {
  expect([answer.status, answer.json?.error?.code]).toEqual([ERRORS[code].status, code]);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.text).toBe(JSON.stringify(answer.json));
  expect(Object.keys(answer.json)).toEqual(['error']);
  expect(Object.keys(answer.json.error)).toEqual(['code', 'message', 'target']);
  expect(answer.json.error.target).toMatch(GUID);
  expect(answer.json.error.message).toContain(says);
};

type Ask = () => Promise<Answer>;
/** The world is where the call is refused; `after` brings it back. */
type Arranged = { readonly call: Ask; readonly after?: () => Promise<unknown> };
type Case = {
  readonly code: ErrorCode;
  /** Part of the sentence. */
  readonly says: string;
  readonly ask: Ask | { readonly arrange: () => Promise<Arranged> };
};

const arranged = (arrange: () => Promise<Arranged>) => ({ arrange });

/** A machine with an action that is not final. */
const busyMachine = async () => {
  const { machineId } = await server.absentDevice('busy');
  const { json } = await run({ Commands: [GET_FILE] }, {}, machineId);
  return { machineId, actionId: String(json.id) };
};

const BODIES: Readonly<Record<string, Case>> = {
  'no body': { code: 'InvalidRequestBody', says: 'got none', ask: () => run('') },
  'malformed JSON': { code: 'InvalidRequestBody', says: 'JSON', ask: () => run('{"Commands":[') },
  'JSON that is no object': { code: 'InvalidInput', says: 'expected object, got null', ask: () => run('null') },
  'nesting without end': {
    code: 'InvalidRequestBody',
    says: 'nested',
    ask: () => run('['.repeat(200_000) + ']'.repeat(200_000)),
  },
  'objects without end': {
    code: 'InvalidRequestBody',
    says: 'nested',
    ask: () => run(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
  },
  'a body one byte over the limit': {
    code: 'InvalidRequestBody',
    says: `at most ${JSON_BODY_BYTES} bytes`,
    ask: () => run(JSON.stringify({ Commands: [GET_FILE] }).padEnd(JSON_BODY_BYTES + 1)),
  },
  'no Commands': {
    code: 'MissingRequiredParameter',
    says: 'Commands: expected array',
    ask: () => run({ Comment: 'c' }),
  },
  'Commands in the prototype only': {
    code: 'MissingRequiredParameter',
    says: 'Commands',
    ask: () => run(`{"__proto__":${JSON.stringify({ Commands: [GET_FILE] })}}`),
  },
  'Commands of another kind': {
    code: 'InvalidInput',
    says: 'Commands: expected array, got a string',
    ask: () => run({ Commands: 'x' }),
  },
  'Commands empty': {
    code: 'InvalidInput',
    says: 'Commands: expected at least 1 item',
    ask: () => run({ Commands: [] }),
  },
  'one command over the limit': {
    code: 'MaximumBatchSizeExceeded',
    says: `at most ${COMMANDS_PER_ACTION} items`,
    ask: () => run({ Commands: Array(COMMANDS_PER_ACTION + 1).fill(GET_FILE) }),
  },
  'a parameter value one character over the limit': {
    code: 'InvalidInput',
    says: `Commands[0].params[0].value: expected at most ${PARAMETER_VALUE_CHARACTERS} characters`,
    ask: () => runOne('GetFile', ['Path', 'x'.repeat(PARAMETER_VALUE_CHARACTERS + 1)]),
  },
  'a comment that is no text': {
    code: 'InvalidInput',
    says: 'Comment: expected string, got a number',
    ask: () => run({ Commands: [GET_FILE], Comment: 7 }),
  },
  'an idempotency key over its limit': {
    code: 'InvalidInput',
    says: 'Expected 1 to 255 characters in Idempotency-Key, got 256',
    ask: () => run({ Commands: [GET_FILE] }, { 'Idempotency-Key': 'k'.repeat(256) }),
  },
};

const COMMANDS: Readonly<Record<string, Case>> = {
  'an unknown type': { code: 'InvalidInput', says: 'got "FormatDisk"', ask: () => runOne('FormatDisk') },
  'an unknown parameter': {
    code: 'InvalidInput',
    says: 'Commands[0] (GetFile): expected a parameter out of Path, got "Paths"',
    ask: () => runOne('GetFile', ['Paths', 'x']),
  },
  'a missing parameter': {
    code: 'MissingRequiredParameter',
    says: 'Commands[0] (RunScript): the parameter ScriptName is missing',
    ask: () => runOne('RunScript', ['Args', 'x']),
  },
  'an empty parameter': { code: 'InvalidInput', says: 'is empty', ask: () => runOne('GetFile', ['Path', '']) },
  'a doubled parameter, in another case': {
    code: 'InvalidInput',
    says: 'the parameter Path is given twice',
    ask: () => runOne('GetFile', ['Path', 'a'], ['PATH', 'b']),
  },
  'a script that is not in the library': {
    code: 'InvalidInput',
    says: 'Commands[0]: "nowhere.sh" is not in the library',
    ask: () => runOne('RunScript', ['ScriptName', 'nowhere.sh']),
  },
  'a script name with path parts': {
    code: 'InvalidInput',
    says: 'ScriptName: expected a file name without path parts',
    ask: () => runOne('RunScript', ['ScriptName', '../etc/passwd']),
  },
  'a file name of the other separator': {
    code: 'InvalidInput',
    says: 'FileName: expected a file name without path parts',
    ask: () => runOne('PutFile', ['FileName', 'a\\b']),
  },
  'a truth that is none': {
    code: 'InvalidInput',
    says: 'Overwrite takes "true" or "false", got "perhaps"',
    ask: () => runOne('PutFile', ['FileName', 'f'], ['Overwrite', 'perhaps']),
  },
  'arguments that never close a quote': {
    code: 'InvalidInput',
    says: 'the quote " at character 3 is never closed',
    ask: () => runOne('RunScript', ['ScriptName', 's.sh'], ['Args', 'a "b']),
  },
  'arguments that strict mode refuses': {
    code: 'InvalidInput',
    says: "Please avoid using the following characters as part of scripts' parameters: ; & | ! $ ( )",
    ask: () => runOne('RunScript', ['ScriptName', 's.sh'], ['Args', '$(id)']),
  },
  'arguments for the re-parsing shell': {
    code: 'InvalidInput',
    says: 'which the shell that runs .cmd and .bat files would act on',
    ask: () => runOne('RunScript', ['ScriptName', 's.cmd'], ['Args', '%PATH%']),
  },
};

const LOOKUPS: Readonly<Record<string, Case>> = {
  'a route that is not there': {
    code: 'NotFound',
    says: 'There is no GET /api/nothing here',
    ask: () => get('/api/nothing'),
  },
  'a method that is not there': {
    code: 'NotFound',
    says: 'There is no PUT',
    ask: () => server.api.call('/api/machines', { method: 'PUT', body: {} }),
  },
  'a machine action that nobody has': {
    code: 'NotFound',
    says: 'There is no POST',
    ask: () => server.api.post(`/api/machines/${machine}/explode`, {}),
  },
  'a path outside the API': { code: 'NotFound', says: 'There is no GET /nothing here', ask: () => get('/nothing') },
  'an unknown machine, by any text': {
    code: 'ResourceNotFound',
    says: 'elastic-connector-test',
    ask: () => run({ Commands: [GET_FILE] }, {}, 'elastic-connector-test'),
  },
  'an unknown action': { code: 'ResourceNotFound', says: NO_ID, ask: () => get(`/api/machineactions/${NO_ID}`) },
  'an action id that is none': { code: 'ResourceNotFound', says: 'x y', ask: () => get('/api/machineactions/x%20y') },
  'cancelling an unknown action': {
    code: 'ResourceNotFound',
    says: NO_ID,
    ask: () => server.api.post(`/api/machineactions/${NO_ID}/cancel`, { Comment: 'x' }),
  },
  'watching an unknown action': {
    code: 'ResourceNotFound',
    says: NO_ID,
    ask: () => get(`/api/machineactions/${NO_ID}/events`),
  },
  'a package that is never made': {
    code: 'ResourceNotFound',
    says: 'has no investigation package',
    ask: arranged(async () => {
      const { actionId } = await busyMachine();
      return { call: () => get(`/api/machineactions/${actionId}/getPackageUri`) };
    }),
  },
  'a result that is not ready': {
    code: 'BadRequest',
    says: 'The result of command 0 is not ready: the command is Created',
    ask: arranged(async () => {
      const { actionId } = await busyMachine();
      return { call: () => get(`/api/machineactions/${actionId}/GetLiveResponseResultDownloadLink(index=0)`) };
    }),
  },
  'another action of a live response neighbour': {
    code: 'OsPlatformNotSupported',
    says: 'isolate is not supported on this machine',
    ask: () => server.api.post(`/api/machines/${machine}/Isolate`, { Comment: 'x', IsolationType: 'Full' }),
  },
  'the same of an unknown machine': {
    code: 'ResourceNotFound',
    says: 'nobody',
    ask: () => server.api.post('/api/machines/nobody/isolate', {}),
  },
  'a library file that is not there': {
    code: 'ResourceNotFound',
    says: 'File with name a b.sh was not found',
    ask: () => server.api.call('/api/libraryfiles/a%20b.sh', { method: 'DELETE' }),
  },
  'an address that is none': {
    code: 'InvalidIpAddress',
    says: 'got "10.0.0.256"',
    ask: () => get("/api/machines/findbyip(ip='10.0.0.256',timestamp=2026-01-01T00:00:00Z)"),
  },
  'a tag query without a tag': {
    code: 'MissingRequiredParameter',
    says: 'tag',
    ask: () => get('/api/machines/findbytag'),
  },
};

const QUERIES: Readonly<Record<string, Case>> = {
  'a filter that ends early': { code: 'ODataError', says: '$filter: character 13', ask: () => filter("id eq 'a' or") },
  'a filter by an unknown property': {
    code: 'ODataError',
    says: '$filter: character 1',
    ask: () => filter('colour eq 1'),
  },
  'a filter with a strange character': {
    code: 'ODataError',
    says: '$filter: character 4',
    ask: () => filter("id § 'a'"),
  },
  'a filter with a value of another kind': {
    code: 'ODataError',
    says: '$filter: character 24',
    ask: () => filter("creationDateTimeUtc gt 'x'"),
  },
  'a top past the largest page': { code: 'ODataError', says: '$top', ask: () => get('/api/machines?$top=10001') },
  'an order by nothing known': {
    code: 'ODataError',
    says: '$orderby',
    ask: () => get('/api/machines?$orderby=colour'),
  },
  'a selection of nothing known': {
    code: 'ODataError',
    says: '$select',
    ask: () => get('/api/machines?$select=colour'),
  },
  'an option that OData has not': { code: 'ODataError', says: '$colour', ask: () => get('/api/machines?$colour=red') },
};

const OTHERS: Readonly<Record<string, Case>> = {
  'a busy machine': {
    code: 'ActiveRequestAlreadyExists',
    says: 'has an active live response action',
    ask: arranged(async () => {
      const { machineId } = await busyMachine();
      return { call: () => run({ Commands: [GET_FILE] }, {}, machineId) };
    }),
  },
  'no session free': {
    code: 'TooManyRequests',
    says: 'Too many requests',
    ask: arranged(async () => {
      const [first, second] = [await server.device('first'), await server.device('second')];
      await run({ Commands: [GET_FILE] }, {}, first.machineId);
      const { actionId } = await first.takeOffer();
      return {
        call: () => run({ Commands: [GET_FILE] }, {}, second.machineId),
        after: () => first.report({ kind: 'refused', actionId, reason: 'not now' }),
      };
    }),
  },
  'an idempotency key with another body': {
    code: 'BadRequest',
    says: 'Idempotency-Key',
    ask: arranged(async () => {
      const { machineId } = await server.absentDevice('twice');
      await run({ Commands: [GET_FILE] }, { 'Idempotency-Key': 'k' }, machineId);
      return { call: () => run({ Commands: [GET_FILE], Comment: 'other' }, { 'Idempotency-Key': 'k' }, machineId) };
    }),
  },
  'cancelling what has succeeded or timed out': {
    code: 'BadRequest',
    says: 'is Succeeded already',
    ask: arranged(async () => {
      const device = await server.device('done');
      await server.api.upload('put.txt', 'x', { OverrideIfExists: 'true' });
      const { json } = await run({ Commands: [command('PutFile', ['FileName', 'put.txt'])] }, {}, device.machineId);
      const { actionId } = await device.takeOffer();
      await device.report({ kind: 'accepted', actionId });
      const done = { outcome: 'Completed' as const, errors: [], exitCode: null, results: [] };
      await device.report({ kind: 'command-finished', actionId, index: 0, ...done });
      return { call: () => server.api.post(`/api/machineactions/${json.id}/cancel`, { Comment: 'late' }) };
    }),
  },
  'an upload that is no form': {
    code: 'InvalidRequestBody',
    says: 'multipart/form-data',
    ask: () => upload('x', 'text/plain'),
  },
  'a tag of no length': {
    code: 'InvalidInput',
    says: 'Value: expected at least 1 character',
    ask: () => server.api.post(`/api/machines/${machine}/tags`, { Value: '', Action: 'Add' }),
  },
  'a tag action that is none': {
    code: 'InvalidInput',
    says: 'Action',
    ask: () => server.api.post(`/api/machines/${machine}/tags`, { Value: 'a', Action: 'Paint' }),
  },
  'a world that fails': {
    code: 'InternalServerError',
    says: 'The server failed on this request. Its log has the cause under the target given here.',
    ask: arranged(async () => {
      const folder = join(server.dataFolder, 'blobs', 'incoming');
      await rename(folder, `${folder}.away`);
      await writeFile(folder, '');
      return {
        call: () => server.api.upload('x.sh', 'x'),
        after: async () => {
          await rm(folder);
          await rename(`${folder}.away`, folder);
        },
      };
    }),
  },
};

const ALL = { ...BODIES, ...COMMANDS, ...LOOKUPS, ...QUERIES, ...OTHERS };

/** Codes of the original that nothing here answers with, since what they speak of is not here. */
const NOT_ANSWERED: readonly ErrorCode[] = [
  'InvalidHashValue',
  'InvalidDomainName',
  'InvalidUrl',
  'ClientVersionNotSupported',
  'DisabledFeature',
  'DisallowedOperation',
];
/** Produced in permissions.test.ts. */
const ELSEWHERE: readonly ErrorCode[] = ['Unauthorized', 'Forbidden'];

describe('refused, and nothing changed', () => {
  for (const [name, { code, says, ask }] of Object.entries(ALL)) {
    test(`${code}: ${name}`, async () => {
      const { call, after }: Arranged = typeof ask === 'function' ? { call: ask } : await ask.arrange();
      const before = snapshot(server.dataFolder);
      try {
        expectRefusal(await call(), code, says);
        expect(snapshot(server.dataFolder)).toBe(before);
      } finally {
        await after?.();
      }
    });
  }
});

test('every code that the server answers with has a case', () => {
  const produced = new Set([...Object.values(ALL).map(({ code }) => code), ...ELSEWHERE]);
  expect(ERROR_CODES.filter((code) => !produced.has(code))).toEqual([...NOT_ANSWERED]);
});

describe('at the limit', () => {
  const fresh = async (body: unknown) => run(body, {}, (await server.absentDevice('fresh')).machineId);

  test('a body of exactly the limit is read', async () => {
    expect((await fresh(JSON.stringify({ Commands: [GET_FILE] }).padEnd(JSON_BODY_BYTES))).status).toBe(200);
  });
  test('as many commands as one action may have are taken', async () => {
    const { status, json } = await fresh({ Commands: Array(COMMANDS_PER_ACTION).fill(GET_FILE) });
    expect([status, json.commands.length]).toEqual([200, COMMANDS_PER_ACTION]);
  });
  test('a value of exactly the limit is taken', async () => {
    const value = 'x'.repeat(PARAMETER_VALUE_CHARACTERS);
    const { status, json } = await fresh({ Commands: [command('GetFile', ['Path', value])], Comment: value });
    expect([status, json.requestorComment, json.commands[0].command.params[0].value]).toEqual([200, value, value]);
  });
  test('a body without a length is measured as it comes', async () => {
    const chunk = new TextEncoder().encode(' '.repeat(65_536));
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (sent++ > JSON_BODY_BYTES / chunk.length) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const response = await fetch(`${server.url}/api/machines/${machine}/runliveresponse`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.api.token}` },
      body,
    });
    const { error } = JSON.parse(await response.text());
    expect([response.status, error.code]).toEqual([400, 'InvalidRequestBody']);
    expect(error.message).toContain(`at most ${JSON_BODY_BYTES} bytes`);
  });
});

test('every code that a changing request was refused with above is in the audit', async () => {
  await server.restart();
  const events = "event in ('request.refused', 'request.failed')";
  const details = storeRows(server.dataFolder, `select detail from audit where ${events}`);
  const codes = new Set(details.map(({ detail }) => JSON.parse(String(detail)).code));
  /** Reads alone meet these, and where nothing is, nothing would have changed. */
  const ofReads: readonly ErrorCode[] = ['ODataError', 'InvalidIpAddress', 'NotFound'];
  const rest = [...NOT_ANSWERED, ...ELSEWHERE, ...ofReads];
  expect(ERROR_CODES.filter((code) => !rest.includes(code) && !codes.has(code))).toEqual([]);
});
