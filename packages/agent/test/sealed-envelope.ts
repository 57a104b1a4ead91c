/** Envelopes for tests, signed as docs/agent-protocol.md says. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Command } from '@longarm/contract/commands/index';
import { ActionId, type MachineId, MachineId as MachineIds, Sha256, TenantId } from '@longarm/contract/ids';
import { ENVELOPE_TYPE, type EnvelopeCommand, type EnvelopePayload } from '@longarm/contract/wire/envelope';

export const TENANT = TenantId.parse('7d9a3c52-4c1e-4c55-9d3b-0f5c3a8e1b01');
export const MACHINE: MachineId = MachineIds.parse('ab'.repeat(20));

export const newActionId = (): ActionId => ActionId.parse(crypto.randomUUID());

export const sha256Of = (bytes: string | Uint8Array): Sha256 =>
  Sha256.parse(new Bun.CryptoHasher('sha256').update(bytes).digest('hex'));

export const signingKey = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: publicKey.export({ format: 'jwk' }).x ?? '' };
};

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export const HEADER = { alg: 'EdDSA', typ: ENVELOPE_TYPE };

export const seal = (payload: object, privateKey: KeyObject, header: object = HEADER): string => {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
};

export const ordered = (
  command: Command,
  file: { readonly sha256: Sha256; readonly sizeBytes: number } | null = null,
  timeLimitSeconds = 60,
): EnvelopeCommand => ({ command, file, timeLimitSeconds });

let counter = 0;

export const payloadOf = (commands: EnvelopeCommand[], changes: Partial<EnvelopePayload> = {}): EnvelopePayload => ({
  version: 1,
  actionId: newActionId(),
  machineId: MACHINE,
  tenantId: TENANT,
  commands,
  maxGetBytes: 1_048_576,
  maxOutputBytes: 65_536,
  stopOnNonzeroExit: false,
  issuedAt: 0,
  expiresAt: 4_000_000_000_000,
  epoch: 1,
  counter: ++counter,
  ...changes,
});
