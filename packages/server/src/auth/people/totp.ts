/** Codes of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and 30 seconds, which is what all apps can do. */
import { createHmac } from 'node:crypto';

const STEP_MS = 30_000;
const DIGITS = 6;
/** Steps before and after the present one that are let pass: clocks differ, and people type slowly. */
const TOLERATED = [0, -1, 1] as const;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648 6, without padding. */
export const base32 = (bytes: Uint8Array): string => {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => BASE32[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
};

const codeOf = (secret: Uint8Array, step: number): string => {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 10 ** DIGITS).padStart(DIGITS, '0');
};

/** The step that the code is of, or null. The caller sees to it that no step is used twice. */
export const stepOf = (secret: Uint8Array, code: string, now: number): number | null => {
  const present = Math.floor(now / STEP_MS);
  const given = code.replaceAll(/\s/g, '');
  const fitting = TOLERATED.map((difference) => present + difference).filter((step) => codeOf(secret, step) === given);
  return fitting[0] ?? null;
};

/** What apps read as a QR code or by hand. */
export const totpUri = (secret: Uint8Array, name: string): string =>
  `otpauth://totp/Longarm:${encodeURIComponent(name)}?secret=${base32(secret)}&issuer=Longarm&digits=${DIGITS}&period=30`;
