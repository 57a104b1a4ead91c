/** The code of a file system's fault (`ENOENT`, …), or null for any other value. */
export const errorCode = (fault: unknown): string | null =>
  fault instanceof Error && 'code' in fault && typeof fault.code === 'string' ? fault.code : null;

/** What the work gives, or null where the file or folder that it is about is not there. */
export const nullIfAbsent = async <Answer>(work: Promise<Answer>): Promise<Answer | null> => {
  try {
    return await work;
  } catch (fault) {
    if (errorCode(fault) === 'ENOENT') return null;
    throw fault;
  }
};
