/** What the system says of a fault: shared, since server and agent meet the same disks and sockets. */

/** The system's code (`ENOENT`, `ENOSPC`, …), also of the fault's cause; null for any other value. */
export const faultCode = (fault: unknown): string | null => {
  if (!(fault instanceof Error)) return null;
  if ('code' in fault && typeof fault.code === 'string') return fault.code;
  return fault.cause === undefined ? null : faultCode(fault.cause);
};
