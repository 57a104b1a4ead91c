import { faultCode } from '@longarm/contract/system-fault';

/** What the work gives, or null where the file or folder that it is about is not there. */
export const nullIfAbsent = async <Answer>(work: Promise<Answer>): Promise<Answer | null> => {
  try {
    return await work;
  } catch (fault) {
    if (faultCode(fault) === 'ENOENT') return null;
    throw fault;
  }
};
