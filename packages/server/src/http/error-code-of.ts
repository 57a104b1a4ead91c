/** The system's code of a fault (`ENOSPC`), also of its cause; null where there is none. */
export const errorCodeOf = (fault: unknown): string | null => {
  if (!(fault instanceof Error)) return null;
  if ('code' in fault && typeof fault.code === 'string') return fault.code;
  return fault.cause === undefined ? null : errorCodeOf(fault.cause);
};
