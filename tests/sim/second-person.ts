/** What happens to an action that waits for a second person: approved, denied, forgotten; the first one's word is none. */
import type { ActionId } from '@longarm/contract/ids';
import { callerOf, type PeopleIo, strangerOf } from './people.ts';

type Waiting = { readonly actionId: ActionId; readonly requester: string; readonly longestMs: number };

/** To be told of each action that waits. */
export const secondPerson =
  ({ time, random, faults, trace, server, watch }: PeopleIo) =>
  ({ actionId, requester, longestMs }: Waiting): void => {
    const decide = (who: string, decision: 'approve' | 'deny', mustBeRefused: boolean) => {
      const program = server.program();
      if (program === null) return;
      trace.tell(who, `would ${decision} ${actionId.slice(0, 8)}`);
      const caller = who === 'stranger' ? strangerOf(who) : callerOf(who);
      program.decide(caller, { actionId, decision, reason: 'simulated' }).then(
        () => {
          if (mustBeRefused && !program.life.isOver())
            watch.violate(10, `${who} could ${decision} ${actionId} of ${requester}`);
        },
        (fault) => trace.tell(who, `${fault}`),
      );
    };
    const later = (run: () => void) => void time.after(random.int(0, longestMs), run);
    if (faults.strikes('own-approval', 0.5)) later(() => decide(requester, 'approve', true));
    if (faults.strikes('stranger', 0.3)) later(() => decide('stranger', random.pick(['approve', 'deny']), true));
    const patience = random.next();
    if (patience < 0.6) later(() => decide('second', 'approve', false));
    else if (patience < 0.8) later(() => decide('second', 'deny', false));
    // twice, or against the first word
    if (patience < 0.3) later(() => decide('third', random.pick(['approve', 'deny']), false));
  };
