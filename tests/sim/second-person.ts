/** What happens to an action that waits for a second person: approved, denied, forgotten; the first one's word is none. */
import type { ActionId } from '@longarm/contract/ids';
import type { Faults } from './faults.ts';
import type { Watch } from './invariants.ts';
import { callerOf, strangerOf } from './people.ts';
import type { Random } from './random.ts';
import type { ServerProgram } from './server-program.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';

export type SecondPersonIo = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly server: { readonly program: () => ServerProgram | null };
  readonly watch: Pick<Watch, 'violate'>;
};

type Waiting = { readonly actionId: ActionId; readonly requester: string; readonly longestMs: number };

/** To be told of each action that waits. */
export const secondPerson =
  ({ time, random, faults, trace, server, watch }: SecondPersonIo) =>
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
