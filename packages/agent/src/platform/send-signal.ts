/** POSIX signals to one process, or to a group by its negative number. */
import { faultCode } from '@longarm/contract/system-fault';
import type { EndSignal } from './platform.ts';

const send = (target: number, signal: EndSignal): void => {
  try {
    process.kill(target, signal);
  } catch (fault) {
    // gone meanwhile, or not ours any more: its number was given to somebody else
    const code = faultCode(fault);
    if (code !== 'ESRCH' && code !== 'EPERM') throw fault;
  }
};

export const endProcess = (pid: number, signal: EndSignal): void => send(pid, signal);

/** 0 and 1 would mean the agent's own group and everybody. */
export const endGroup = (group: number, signal: EndSignal): void => {
  if (group > 1) send(-group, signal);
};
