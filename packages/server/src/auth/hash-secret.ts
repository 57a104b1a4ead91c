import { createHash } from 'node:crypto';

/**
 * SHA-256 of a secret that this server made from 256 random bits, hex. What nobody can guess needs no slow hash;
 * passwords of people will.
 */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret, 'utf8').digest('hex');
