/** The code of a file system's fault (`ENOENT`, …), or null for any other value. */
export const errorCode = (fault: unknown): string | null =>
  fault instanceof Error && 'code' in fault && typeof fault.code === 'string' ? fault.code : null;
