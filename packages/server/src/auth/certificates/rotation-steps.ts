/**
 * Which step of replacing the server's authority may come when.
 *
 *   one authority ─rotate→ announced, the current one signs ─switch→ the next one signs ─retire→ one authority
 *          └───────────abandon──────────────┘        └────────switch back────────┘
 */
import type { AuthorityStep } from '@longarm/contract/admin/authority-operations';
import type { Authorities } from './authorities.ts';

export type RotationStep = AuthorityStep;

type Phase = 'single' | 'announced' | 'switched';

const phaseOf = ({ next, signer }: Pick<Authorities, 'next' | 'signer'>): Phase => {
  if (next === null) return 'single';
  return signer === 'next' ? 'switched' : 'announced';
};

const FROM: Readonly<Record<RotationStep, Phase>> = {
  rotate: 'single',
  switch: 'announced',
  'switch-back': 'switched',
  retire: 'switched',
  abandon: 'announced',
};

const SAID: Readonly<Record<Phase, string>> = {
  single: 'there is one authority and no rotation: `longarm ca rotate` begins one',
  announced:
    'the next authority is announced and signs nothing yet: `longarm ca switch` has it sign, `longarm ca abandon` drops it',
  switched:
    'the next authority signs already: `longarm ca retire` ends the old one, `longarm ca switch --back` has that sign again',
};

/** Why the step does not apply now, in a sentence; null where it does. */
export const stepFault = (step: RotationStep, authorities: Pick<Authorities, 'next' | 'signer'>): string | null => {
  const phase = phaseOf(authorities);
  return phase === FROM[step] ? null : `Nothing was changed: ${SAID[phase]}.`;
};
