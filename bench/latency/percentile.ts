/** The value that `rank` percent of all do not exceed; 0 of none. */
export const percentileOf = (values: readonly number[], rank: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((rank / 100) * sorted.length) - 1)] ?? 0;
};
