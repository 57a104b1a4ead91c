/** Callers who try what must not work: requests that have to be refused, keys used twice, actions of another tenant. */
import { Refusal } from '@longarm/contract/errors';
import type { ActionId } from '@longarm/contract/ids';
import type { RunLiveResponseRequest } from '@longarm/contract/rest/run-live-response';
import { hostileAsk } from './hostile-asks.ts';
import { callerOf, type PeopleIo, strangerOf } from './people.ts';

type Asked = {
  readonly machine: string;
  readonly body: RunLiveResponseRequest;
  readonly key: string;
  readonly caller: string;
};

export type HostileCallers = {
  /** Asks something that has to be refused. */
  readonly ask: (machineId: string) => void;
  /** Tries what an answered request is not good for. */
  readonly onAnswer: (asked: Asked, actionId: ActionId) => void;
};

export const hostileCallers = ({ time, random, faults, trace, server, watch }: PeopleIo): HostileCallers => {
  /** 10: it is refused, or there is no answer at all. */
  const mustFail = (who: string, what: string, tried: Promise<{ readonly id: string }>) => {
    tried.then(
      ({ id }) => watch.violate(10, `${who} was answered ${id} for ${what.slice(0, 200)}`),
      (fault) => trace.tell(who, `was refused: ${fault instanceof Refusal ? fault.code : fault}`),
    );
  };
  return {
    ask: (machineId) => {
      const program = server.program();
      if (program === null || !faults.strikes('hostile-request', 0.7)) return;
      const { caller, machine, body } = hostileAsk(random, machineId);
      if (body === null) return;
      const what = JSON.stringify({ machine: machine.slice(0, 50), body });
      mustFail(caller.name, what, program.request(caller, { machine, body, idempotency: null }));
    },
    onAnswer: ({ machine, body, caller, key }, actionId) => {
      const program = server.program();
      if (program === null) return;
      const idempotency = { key, bodySha256: 'another' };
      if (faults.strikes('hostile-request', 0.1))
        mustFail(caller, `a key that was used`, program.request(callerOf(caller), { machine, body, idempotency }));
      time.after(random.int(0, 5_000), () => {
        const now = server.program();
        if (now === null || !faults.strikes('stranger', 0.3)) return;
        mustFail('stranger', 'a cancel', now.cancel(strangerOf('stranger'), { actionId, comment: 'hostile' }));
      });
    },
  };
};
