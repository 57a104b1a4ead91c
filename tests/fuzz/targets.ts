/** What strangers and devices can send, by name: samples near which a text is made, and what has to hold for each. */
import { splitArgs } from '@longarm/contract/args';
import { Refusal } from '@longarm/contract/errors';
import { FRAME_TO_AGENT_BYTES, FRAME_TO_SERVER_BYTES } from '@longarm/contract/limits';
import { readArgumentLine } from '@longarm/contract/signing/argument-pattern';
import { claimedBySignature } from '@longarm/contract/signing/author-signature';
import { decodeFrame } from '@longarm/contract/wire/codec';
import { parseEnrolToken } from '@longarm/contract/wire/enrol-token';
import { FrameToAgent } from '@longarm/contract/wire/to-agent';
import { FrameToServer } from '@longarm/contract/wire/to-server';
import { parseTransferProof, TRANSFER_PROOF_HEADER } from '@longarm/contract/wire/transfer-proof';
import { readEnvelope } from '../../packages/agent/src/inbox/read-envelope.ts';
import { glob, pathPatternFault } from '../../packages/agent/src/policy/glob.ts';
import { encodeTrunkFrame, trunkDecoder } from '../../packages/server/src/relay/frame.ts';
import { answerFault, exchange, type RawRequest, visible } from './exchange.ts';
import { type FuzzWorld, uploadPlace } from './world.ts';

/** What is wrong with what the text led to; null where everything held. */
type Check = (text: string) => Promise<string | null> | string | null;

export type Target = {
  readonly samples: (world: FuzzWorld) => readonly string[];
  readonly check: (world: FuzzWorld) => Check;
};

const ACTION = '5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11';
const KEY = 'A'.repeat(43);

/** What the pieces are understood as, up to the first fault. */
const heardOf = (pieces: readonly Uint8Array[]): string => {
  const frames: unknown[] = [];
  const take = trunkDecoder((frame) => void frames.push('bytes' in frame ? [...frame.bytes] : frame));
  const fault = pieces.reduce<string | null>((found, piece) => found ?? take(piece), null);
  return JSON.stringify([frames, fault]);
};

const sent = async (world: FuzzWorld, request: RawRequest, form: 'api' | 'oauth' | 'tus' = 'api') =>
  answerFault(await exchange(world.server.url, request), form);

const bearer = ({ server }: FuzzWorld) => ({ Authorization: `Bearer ${server.api.token}` });

/** Refusals are the only thing that a parser throws. */
const onlyRefuses = (parse: (text: string) => unknown): Check => {
  return (text) => {
    try {
      parse(text);
      return null;
    } catch (fault) {
      return fault instanceof Refusal ? null : `it threw ${String(fault)}`;
    }
  };
};

const facts = {
  computerDnsName: 'h',
  osPlatform: 'Linux',
  osVersion: null,
  osProcessor: 'x64',
  version: '12',
  osBuild: null,
  osArchitecture: '64-bit',
  agentVersion: '0',
  aadDeviceId: null,
  ipAddresses: [{ ipAddress: '10.0.0.5', macAddress: null, type: 'Ethernet', operationalStatus: 'Up' }],
};

const TO_SERVER = [
  { type: 'prove', protocol: 1, machineId: 'a'.repeat(40), proof: 'x', facts, journaled: [ACTION] },
  {
    type: 'prove',
    protocol: 1,
    machineId: 'a'.repeat(40),
    proof: 'x',
    nextProof: 'y',
    facts,
    journaled: [],
    trusted: [],
  },
  { type: 'heartbeat' },
  { type: 'key-wanted' },
  { type: 'new-key', number: 2, publicKey: KEY, at: 1, certification: 'x', proof: 'x' },
  { type: 'trust-kept', trusted: ['a'.repeat(64)] },
  { type: 'report', sequence: 1, fact: { kind: 'accepted', actionId: ACTION, at: 1 } },
  {
    type: 'report',
    sequence: 2,
    fact: {
      kind: 'command-finished',
      actionId: ACTION,
      index: 0,
      at: 1,
      outcome: 'Failed',
      errors: ['e'],
      exitCode: 1,
      results: [{ stream: 'stdout', sha256: 'a'.repeat(64), sizeBytes: 1, name: 'n', cutBytes: 0 }],
    },
  },
  { type: 'output', watchId: 'w', actionId: ACTION, index: 0, stream: 'stdout', offset: 0, data: 'aGk=' },
].map((frame) => JSON.stringify(frame));

const TO_AGENT = [
  { type: 'hello', protocol: 1, nonce: 'n', serverTime: 1 },
  { type: 'welcome', serverTime: 1, heartbeatSeconds: 30 },
  { type: 'offer', actionId: ACTION, envelope: 'a.b.c', ticket: 't' },
  { type: 'missing-uploads', sequence: 1, actionId: ACTION, index: 0, streams: ['file'] },
  { type: 'watch', watchId: 'w', actionId: ACTION, index: 0, from: { stdout: 0, stderr: 0 }, frames: 4 },
  { type: 'renew-key', nonce: 'n' },
  { type: 'key-kept', receipt: 'a.b.c' },
  { type: 'trust', statement: 'a.b.c' },
  { type: 'goodbye', reason: 'r', retryAfterSeconds: 1 },
].map((frame) => JSON.stringify(frame));

const MULTIPART = (content: string) =>
  `--b\r\nContent-Disposition: form-data; name="file"; filename="x.sh"\r\nContent-Type: text/plain\r\n\r\n${content}\r\n--b\r\nContent-Disposition: form-data; name="Description"\r\n\r\nd\r\n--b--\r\n`;

const TRUNK = [
  { kind: 'hello', socket: 0, bytes: new Uint8Array(32) },
  { kind: 'open', socket: 1, text: '10.0.0.5' },
  { kind: 'text', socket: 1, text: JSON.stringify({ type: 'heartbeat' }) },
  { kind: 'heard', socket: 0, sockets: [1, 2, 3] },
  { kind: 'close', socket: 1 },
] as const;

const PURE: Readonly<Record<string, Target>> = {
  // between a gateway process and the main process: text stands for bytes, one each
  trunk: {
    samples: () => [
      ...TRUNK.map((frame) => Buffer.from(encodeTrunkFrame(frame)).toString('latin1')),
      Buffer.concat(TRUNK.map(encodeTrunkFrame)).toString('latin1'),
    ],
    check: () => (text) => {
      const bytes = Buffer.from(text, 'latin1');
      const whole = heardOf([bytes]);
      const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, place) =>
        bytes.subarray(7 * place, 7 * place + 7),
      );
      return heardOf(pieces) === whole ? null : 'in pieces it is understood as something else';
    },
  },
  'frames-to-server': {
    samples: () => TO_SERVER,
    check: () => onlyRefuses((text) => decodeFrame(FrameToServer, text, FRAME_TO_SERVER_BYTES)),
  },
  'frames-to-agent': {
    samples: () => TO_AGENT,
    check: () => onlyRefuses((text) => decodeFrame(FrameToAgent, text, FRAME_TO_AGENT_BYTES)),
  },
  envelope: {
    samples: ({ offer }) => [offer.envelope],
    check: () => (text) => (readEnvelope(text, KEY).ok ? 'it was believed' : null),
  },
  args: {
    samples: () => ['', '-days 7', '"a b" \'c d\' e', '"a""b"', 'C:\\x\\y "', '--noargs'],
    check: () => onlyRefuses(splitArgs),
  },
  'argument-line': {
    samples: () => ['-days <int:1..30>', '<word> <path> fixed', '"a b" <one-of:a|b>'],
    check: () => (text) => {
      try {
        readArgumentLine(text);
        return null;
      } catch (fault) {
        // a sentence for whoever signs
        return fault instanceof Error && fault.name !== 'TypeError' && fault.name !== 'RangeError'
          ? null
          : String(fault);
      }
    },
  },
  'signature-text': {
    samples: ({ offer }) => [offer.envelope, 'a.b.c'],
    check: () => onlyRefuses(claimedBySignature),
  },
  'token-texts': {
    samples: ({ server }) => [server.enrolToken, `1700000000000.${'n'.repeat(22)}.${'s'.repeat(86)}`],
    check: () => onlyRefuses((text) => [parseEnrolToken(text), parseTransferProof(text)]),
  },
  'path-patterns': {
    samples: () => ['/var/log/**', '/tmp/*.dmp', '**/*.key', 'C:\\Users\\?\\**\\x', '/a/**/b/**/c/**/d'],
    check: () => (text) => {
      const form = { isWindows: false, ignoresCase: true };
      const start = process.cpuUsage();
      if (pathPatternFault(text, form) === null) glob(text, form).matches(`/${'a/'.repeat(200)}`);
      return process.cpuUsage(start).user < 5_000_000 ? null : 'it took more than five seconds';
    },
  },
};

const REQUESTS: Readonly<Record<string, Target>> = {
  token: {
    samples: () => [
      'grant_type=client_credentials&client_id=7f9c3a52-1d5e-4a4e-9a54-6f1a5d0c2b11&client_secret=s&scope=https%3A%2F%2Fx%2F.default',
      'grant_type=password&username=a&password=b&client_id=c&resource=d',
      'grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=x&client_id=y',
    ],
    check: (world) => (text) =>
      sent(world, { method: 'POST', target: '/default/oauth2/v2.0/token', body: text }, 'oauth'),
  },
  'token-basic': {
    samples: () => [`Basic ${btoa('7f9c3a52-1d5e-4a4e-9a54-6f1a5d0c2b11:secret')}`, 'Basic ', 'Bearer x'],
    check: (world) => (text) =>
      sent(
        world,
        {
          method: 'POST',
          target: '/default/oauth2/token',
          headers: { Authorization: text },
          body: 'grant_type=client_credentials',
        },
        'oauth',
      ),
  },
  bearer: {
    samples: ({ server }) => [`Bearer ${server.api.token}`],
    check: (world) => (text) =>
      sent(world, { method: 'GET', target: '/api/machines', headers: { Authorization: text } }),
  },
  enrolment: {
    samples: ({ server }) => [
      JSON.stringify({ token: server.enrolToken, publicKey: KEY, hardwareId: 'a'.repeat(64), proof: 'x', facts }),
    ],
    check: (world) => (text) => sent(world, { method: 'POST', target: '/agent/v1/enrol', body: text }),
  },
  multipart: {
    samples: () => [MULTIPART('echo hello'), MULTIPART(''), '--b--\r\n'],
    check: (world) => (text) =>
      sent(world, {
        method: 'POST',
        target: '/api/libraryfiles',
        headers: { ...bearer(world), 'Content-Type': 'multipart/form-data; boundary=b' },
        body: text,
      }),
  },
  'multipart-type': {
    samples: () => ['multipart/form-data; boundary=b', 'multipart/form-data; boundary="b c"', 'multipart/form-data'],
    check: (world) => (text) =>
      sent(world, {
        method: 'POST',
        target: '/api/libraryfiles',
        headers: { ...bearer(world), 'Content-Type': text },
        body: MULTIPART('x'),
      }),
  },
  run: {
    samples: () => [
      JSON.stringify({
        Commands: [
          {
            type: 'RunScript',
            params: [
              { key: 'ScriptName', value: 'a.sh' },
              { key: 'Args', value: '-x "1 2"' },
            ],
          },
          { type: 'GetFile', params: [{ key: 'Path', value: 'C:\\x' }] },
          { type: 'PutFile', params: [{ key: 'FileName', value: 'a.sh' }] },
        ],
        Comment: 'c',
      }),
    ],
    check: (world) => (text) =>
      sent(world, {
        method: 'POST',
        target: `/api/machines/${world.device.machineId}/runliveresponse`,
        headers: { ...bearer(world), 'Content-Type': 'application/json' },
        body: text,
      }),
  },
  filter: {
    samples: () => [
      "contains(computerDnsName,'o''brien') or lastIpAddress eq '10.0.0.5'",
      "machineTags/any(t: t eq 'lab') and not (isOnline eq true)",
      'lastSeen gt 2026-01-01T00:00:00Z and lastSeen le 2026-01-01Z',
      "id in ('a','b') and osPlatform ne null and startswith(version,'1')",
    ],
    check: (world) => (text) =>
      sent(world, {
        method: 'GET',
        target: `/api/machines?$filter=${encodeURIComponent(text.toWellFormed())}`,
        headers: bearer(world),
      }),
  },
  'query-options': {
    samples: () => [
      '$orderby=lastSeen desc,id&$top=5&$skip=1',
      '$filter=status eq %27Pending%27&$orderby=id',
      '$top=10000',
    ],
    check: (world) => (text) =>
      sent(world, { method: 'GET', target: `/api/machineactions?${visible(text)}`, headers: bearer(world) }),
  },
  links: {
    samples: ({ link }) => [link, `${link}&raw=1`, `${link}&raw=1&stream=stderr`],
    check: (world) => (text) => sent(world, { method: 'GET', target: `/${text.replace(/^\/+/, '')}` }),
  },
  ranges: {
    samples: () => ['bytes=0-1', 'bytes=-5', 'bytes=2-', 'bytes=0-0,2-3', 'bytes=5-1'],
    check: (world) => (text) =>
      sent(world, { method: 'GET', target: `${world.link}&raw=1&stream=stdout`, headers: { Range: text } }),
  },
  paths: {
    samples: () => [
      `/api/machineactions/${ACTION}/GetLiveResponseResultDownloadLink(index=0)`,
      `/API/v1.0/Machines/${'a'.repeat(40)}/runliveresponse`,
      "/api/machines/findbyip(ip='10.0.0.5',timestamp=2026-01-01T00:00:00Z)",
      '/api/libraryfiles/a.sh/content',
      `/agent/v1/actions/${ACTION}/commands/0/results/file`,
      `/agent/v1/actions/${ACTION}/files/${'a'.repeat(64)}`,
      '/install/agent/linux-x64',
      '/docs',
    ],
    check: (world) => (text) =>
      sent(world, { method: 'GET', target: `/${text.replace(/^\/+/, '')}`, headers: bearer(world) }),
  },
  'upload-headers': {
    samples: () => ['10', '0', '1048576'],
    check: (world) => async (text) => {
      const [path, { ticket }] = [uploadPlace(world), world.offer];
      const value = text.replace(/[^\x20-\x7e]/g, '').trim();
      for (const method of ['POST', 'PATCH', 'HEAD']) {
        const headers = {
          Authorization: `Bearer ${ticket}`,
          'Content-Type': 'application/offset+octet-stream',
          'Upload-Length': value,
          'Upload-Offset': value,
        };
        const proof = world.device.proofOf({ path, method, headers, ticket });
        const request = { method, target: path, headers: { ...headers, [TRANSFER_PROOF_HEADER]: proof } };
        const answer = await exchange(world.server.url, method === 'PATCH' ? { ...request, body: 'abc' } : request);
        // a HEAD has no body to say it in
        if (method === 'HEAD' && answer.status < 500) continue;
        const fault = answerFault(answer, 'tus');
        if (fault !== null) return `${method}: ${fault}`;
      }
      return null;
    },
  },
  'transfer-proof': {
    samples: (world) => [
      world.device.proofOf({ path: uploadPlace(world), method: 'POST', headers: {}, ticket: world.offer.ticket }),
    ],
    check: (world) => (text) =>
      sent(world, {
        method: 'POST',
        target: uploadPlace(world),
        headers: { Authorization: `Bearer ${world.offer.ticket}`, 'Upload-Length': '1', [TRANSFER_PROOF_HEADER]: text },
      }),
  },
  ticket: {
    samples: ({ offer }) => [offer.ticket],
    check: (world) => (text) =>
      sent(world, { method: 'POST', target: uploadPlace(world), headers: { Authorization: `Bearer ${text}` } }),
  },
};

export const TARGETS: Readonly<Record<string, Target>> = { ...PURE, ...REQUESTS };

/** Those that need no server, and so take many more texts in the same time. */
export const PURE_TARGETS: ReadonlySet<string> = new Set(Object.keys(PURE));
