import { timingSafeEqual } from 'node:crypto';

/** Compares two SHA-256 texts without telling by time where they differ. */
export const isSameHash = (left: string, right: string): boolean => {
  const [a, b] = [Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8')];
  return a.length === b.length && timingSafeEqual(a, b);
};
