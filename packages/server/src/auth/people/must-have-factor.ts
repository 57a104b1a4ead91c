import type { SecondFactorRule } from '@longarm/contract/admin/person-operations';
import type { PersonRecord } from '../people-ports.ts';

/** The server's own setting goes for everybody; an administrator's word for one person adds to it. */
export const mustHaveFactor = (person: Pick<PersonRecord, 'secondFactorRequired'>, ofAll: SecondFactorRule): boolean =>
  ofAll === 'required' || person.secondFactorRequired;
