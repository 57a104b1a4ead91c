/** One step of a random story: it happens to the server and to the reference, which must answer alike. */
import type { Role } from '@longarm/contract/permission';
import type { AsyncCommand } from 'fast-check';
import { agree } from '../agree.ts';
import type { ReferenceSite } from '../reference/site.ts';
import { CALLERS, type CallerName, type System } from '../system.ts';

export type Step = AsyncCommand<ReferenceSite, System, false>;

type Story = {
  /** What a failure shows. */
  readonly text: string;
  /** Whether it can happen now; always when left out. */
  readonly when?: (site: ReferenceSite) => boolean;
  readonly run: (site: ReferenceSite, system: System) => Promise<void>;
};

/** Every offer that the reference made has to arrive before the story goes on, and no other. */
const arrive = async (site: ReferenceSite, system: System): Promise<void> => {
  for (const { machine, actionId } of site.takeOffers()) await system.awaitOffer(machine, actionId);
  for (const index of site.machines.keys())
    agree(`device ${index} was offered something else`, system.hasOffer(index), false);
};

export const step = ({ text, when, run }: Story): Step => ({
  toString: () => text,
  check: (site) => when?.(site as ReferenceSite) ?? true,
  run: async (site, system) => {
    await run(site, system);
    await arrive(site, system);
  },
});

/** One of the list, by any number; undefined for an empty list. */
export const pick = <Item>(items: readonly Item[], number: number): Item | undefined => items[number % items.length];

const FORBIDDEN = '403 Forbidden';

/** What a caller is answered: what the reference says, unless none of its roles opens this. */
export const answerTo = (caller: CallerName, roles: readonly Role[], outcome: string): string =>
  roles.some((role) => (CALLERS[caller] as readonly Role[]).includes(role)) ? outcome : FORBIDDEN;

/** Holds the answer's outcome against the reference's; true when it was no refusal. */
export const isServed = (what: string, got: string, expected: string): boolean => {
  agree(what, got, expected);
  return expected.startsWith('2');
};
