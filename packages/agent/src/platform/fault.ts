import { faultCode } from '@longarm/contract/system-fault';

/** Throws what has no name of the system's: it is a mistake of ours, and no disk will get better. */
export const requireSystemFault = (fault: unknown): void => {
  if (faultCode(fault) === null) throw fault;
};

/** What an unknown thrown value says, for people. */
export const faultText = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));
