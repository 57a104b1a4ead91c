/** What enrolment left: who the device is to its server, and what it trusts. */
import { existsSync, readFileSync } from 'node:fs';
import { MachineId, TenantId } from '@longarm/contract/ids';
import { PublicKeyText } from '@longarm/contract/wire/enrolment';
import { z } from 'zod';
import { replaceFile } from '../platform/durable-file.ts';

export const Identity = z.strictObject({
  version: z.literal(1),
  /** Address of the server, without a slash at its end. */
  serverUrl: z.string(),
  machineId: MachineId,
  tenantId: TenantId,
  audience: z.string(),
  envelopeKey: PublicKeyText,
  /** The certificate authorities that alone vouch for the server; null: those that the system trusts. */
  caPem: z.string().nullable(),
  /** Of the server's last word on them; absent before the first. */
  trustSerial: z.int().min(1).optional(),
});
export type Identity = z.infer<typeof Identity>;

/** Null when the device is not enrolled. Throws a sentence when the file is not one. */
export const readIdentity = (path: string): Identity | null => {
  if (!existsSync(path)) return null;
  try {
    return Identity.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new Error(
      `${path}: expected what an enrolment wrote, got something else. Restore the file, or remove it and enrol anew with a token.`,
      { cause },
    );
  }
};

export const writeIdentity = (path: string, identity: Identity): void =>
  replaceFile(path, `${JSON.stringify(identity, null, 2)}\n`);
