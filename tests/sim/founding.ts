/** What every world begins with, made once: keys, enrolled devices, library files, and the database that knows them. */
import { Database } from 'bun:sqlite';
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { MachineId, TenantId } from '@longarm/contract/ids';
import type { DeviceFacts } from '@longarm/contract/wire/facts';
import { migrate, storeOver } from '@longarm/server/store/open-store';
import { sha256Of } from './blobs.ts';

/** Of what no request asked for. */
const NOWHERE = { address: null, requestId: null };

/** When the world begins, server time. */
export const BEGINNING_MS = Date.UTC(2026, 1, 4, 12, 0, 0);
/** The last one is somebody's own (hostile-device.ts). */
const DEVICES = 9;
export const TENANT = TenantId.parse('7d9a3c52-4c1e-4c55-9d3b-0f5c3a8e1b01');
export const AUDIENCE = 'audience-of-the-simulated-server';
export const SEAL_KEY = new Uint8Array(32).fill(7);

/** Library files by name: what a script does is decided by its name (processes.ts). */
export const LIBRARY = {
  'quick.sh': 'true',
  'long.sh': 'sleep',
  'endless.sh': 'for ever',
  'failing.sh': 'exit 3',
  'crashing.sh': 'kill -SEGV $$',
  'talkative.sh': 'yes',
  'tool.bin': 'bytes',
  'guarded.sh': 'true # by two people',
} as const;
export const SCRIPTS = [
  'quick.sh',
  'quick.sh',
  'long.sh',
  'endless.sh',
  'failing.sh',
  'crashing.sh',
  'talkative.sh',
  'guarded.sh',
] as const;

export const libraryBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export type SigningKey = { readonly privateKey: KeyObject; readonly publicKey: string };

/** PKCS #8 of an Ed25519 key up to its 32 bytes (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

const keyOf = (fill: number): SigningKey => {
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8, Buffer.alloc(32, fill)]),
    format: 'der',
    type: 'pkcs8',
  });
  return { privateKey, publicKey: createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '' };
};

export type DeviceKey = SigningKey & { readonly machineId: MachineId; readonly sign: (text: string) => string };

const deviceKeyOf = (fill: number): DeviceKey => {
  const key = keyOf(fill);
  const hash = createHash('sha256').update(Buffer.from(key.publicKey, 'base64url')).digest('hex');
  return {
    ...key,
    machineId: MachineId.parse(hash.slice(0, 40)),
    sign: (text) => sign(null, Buffer.from(text, 'utf8'), key.privateKey).toString('base64url'),
  };
};

export const ENVELOPE_KEY = keyOf(200);
export const DEVICE_KEYS: readonly DeviceKey[] = Array.from({ length: DEVICES }, (_, index) => deviceKeyOf(index + 1));

export const HOSTILE_INDEX = DEVICES - 1;
export const HOSTILE_KEY = deviceKeyOf(DEVICES);
/** What no honest device says. */
export const HOSTILE_TEXT = "hostile'; drop table actions; --";

export const factsOf = (index: number): DeviceFacts => ({
  computerDnsName: `device-${index}.lab.example`,
  osPlatform: 'Linux',
  osVersion: null,
  osProcessor: 'x64',
  version: '12',
  osBuild: null,
  osArchitecture: '64-bit',
  agentVersion: '0.0.0-simulated',
  aadDeviceId: null,
  ipAddresses: [],
});

const enrolAll = async (store: ReturnType<typeof storeOver>) => {
  const token = { id: 'token', tenantId: TENANT, secretSha256: 'x', tags: [], uses: 0, maxUses: null, group: null };
  await store.access.addEnrolToken(
    { ...token, expiresAt: null, revoked: false, approval: false, createdAt: BEGINNING_MS },
    'founding',
  );
  for (const [index, { machineId, publicKey }] of DEVICE_KEYS.entries())
    await store.machines.enrol({
      tokenId: token.id,
      tokenSecretSha256: token.secretSha256,
      machineId,
      publicKey,
      hardwareId: sha256Of(libraryBytes(`hardware ${index}`)),
      facts: factsOf(index),
      externalIp: null,
      now: BEGINNING_MS,
    });
};

const makeImage = async (): Promise<Uint8Array> => {
  const database = new Database(':memory:');
  await migrate(database);
  database.run('insert into tenants (id, name, created_at) values (?, ?, ?)', [TENANT, 'default', BEGINNING_MS]);
  const terms = { maxGetBytes: 1, maxOutputBytes: 1, stopOnNonzeroExit: false };
  const envelopes = { sign: () => '', terms };
  const store = storeOver({ writer: database, reader: database }, { clock: { now: () => BEGINNING_MS }, envelopes });
  await enrolAll(store);
  for (const [name, text] of Object.entries(LIBRARY)) {
    const bytes = libraryBytes(text);
    const about = {
      description: null,
      parametersDescription: null,
      hasParameters: false,
      createdBy: 'founding',
      signatures: [],
    };
    const requiresApproval = name === 'guarded.sh';
    const file = {
      tenantId: TENANT,
      name,
      requiresApproval,
      sha256: sha256Of(bytes),
      sizeBytes: bytes.length,
      ...about,
    };
    await store.library.save({ ...file, overrideIfExists: true, origin: NOWHERE, now: BEGINNING_MS });
  }
  return database.serialize();
};

/** The database of the first moment. */
export const DATABASE_IMAGE = await makeImage();
