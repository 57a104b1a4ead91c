/** What an unknown thrown value says: the system's code (`ENOENT`), and a text for people. */
export const faultCode = (fault: unknown): string | null =>
  fault instanceof Error && 'code' in fault && typeof fault.code === 'string' ? fault.code : null;

export const faultText = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));
