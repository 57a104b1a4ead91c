/**
 * Branded identifiers and their parsers. An id that carries its brand has been checked against its one
 * fixed form, so it may stand in a path or a query; nothing else may.
 */
import { z } from 'zod';

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const guid = z.string().toLowerCase().regex(GUID, 'expected a GUID');

/** A machine action. GUID, lower case. */
export const ActionId = guid.brand<'ActionId'>();
export type ActionId = z.infer<typeof ActionId>;

/** A tenant. GUID, lower case; `default` is an alias of the first tenant in URLs only. */
export const TenantId = guid.brand<'TenantId'>();
export type TenantId = z.infer<typeof TenantId>;

/** An application that may ask for tokens: the `client_id` of OAuth 2.0. */
export const ApplicationId = guid.brand<'ApplicationId'>();
export type ApplicationId = z.infer<typeof ApplicationId>;

/** The first 160 bits of the SHA-256 of a device's first public key (raw 32 bytes), 40 hex digits. */
export const MachineId = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{40}$/, 'expected 40 hex digits')
  .brand<'MachineId'>();
export type MachineId = z.infer<typeof MachineId>;

/** SHA-256 of a file's raw bytes, 64 lower-case hex digits. */
export const Sha256 = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits')
  .brand<'Sha256'>();
export type Sha256 = z.infer<typeof Sha256>;

/** The parsed id, or null where the text has not the form. */
export const parseActionId = (text: string): ActionId | null => ActionId.safeParse(text).data ?? null;
export const parseMachineId = (text: string): MachineId | null => MachineId.safeParse(text).data ?? null;
export const parseTenantId = (text: string): TenantId | null => TenantId.safeParse(text).data ?? null;
export const parseSha256 = (text: string): Sha256 | null => Sha256.safeParse(text).data ?? null;
