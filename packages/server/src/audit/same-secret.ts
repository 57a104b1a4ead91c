import { timingSafeEqual } from 'node:crypto';

/** Compares two hashes or seals without telling by time where they differ. */
export const isSameSecret = (left: string, right: string): boolean => {
  const [a, b] = [Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8')];
  return a.length === b.length && timingSafeEqual(a, b);
};
