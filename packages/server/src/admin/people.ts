/** People who sign in here by themselves: made, changed, reset and deleted by the local administrator. */
import type { SecondFactorRule } from '@longarm/contract/admin/person-operations';
import { Refusal } from '@longarm/contract/errors';
import { formatInstant, formatInstantOrNull } from '@longarm/contract/instant';
import type { DeviceGroups } from '../audit/reach.ts';
import { hashSecret } from '../auth/hash-secret.ts';
import { mustHaveFactor } from '../auth/people/must-have-factor.ts';
import type { PeopleStore, PersonRecord } from '../auth/people-ports.ts';
import type { GroupStore } from '../machines/ports.ts';
import { ACTOR, type AdminOperations } from './admin-operations.ts';
import type { ApplicationsIo } from './applications.ts';
import { requireGroup } from './device-groups.ts';

export type PeopleIo = Pick<ApplicationsIo, 'tenant' | 'now' | 'randomText' | 'newId'> & {
  readonly people: PeopleStore;
  readonly groups: GroupStore;
  /** What the running server asks of everybody; nothing while none runs on the folder. */
  readonly secondFactor: SecondFactorRule;
  readonly describeServer: AdminOperations['describeServer'];
};

const SECRET_BYTES = 32;
/** A link to choose a password by is good for this long. */
const SET_UP_MS = 3 * 86_400_000;

const changeOf = (io: PeopleIo) => ({ tenantId: io.tenant, actor: ACTOR, now: io.now() });

const newSetUp = async (io: PeopleIo, name: string) => {
  const secret = io.randomText(SECRET_BYTES);
  const expiresAt = io.now() + SET_UP_MS;
  const { url } = await io.describeServer({});
  return {
    record: { sha256: hashSecret(secret), expiresAt },
    answer: {
      name,
      secret,
      url: url === null ? null : `${url}/sign-in/set-up?secret=${secret}`,
      expiresDateTimeUtc: formatInstant(expiresAt),
    },
  };
};

const requirePerson = async (io: PeopleIo, name: string): Promise<PersonRecord> => {
  const person = await io.people.find(io.tenant, name);
  if (person !== null) return person;
  throw new Refusal('ResourceNotFound', `There is nobody called ${JSON.stringify(name)}. See \`longarm user list\`.`);
};

const groupsOf = async (io: PeopleIo, names: DeviceGroups): Promise<DeviceGroups> => {
  if (names === 'all') return 'all';
  const groups = await Promise.all(names.map((name) => requireGroup(io, name)));
  return [...new Set(groups.map(({ name }) => name))];
};

type People = Pick<AdminOperations, 'createPerson' | 'listPeople' | 'changePerson' | 'resetPerson' | 'deletePerson'>;

type Listed = PersonRecord & { readonly securityKeys: number };

const summary = (io: PeopleIo, person: Listed) => ({
  id: person.id,
  name: person.name,
  displayName: person.displayName,
  roles: [...person.roles],
  deviceGroups: person.deviceGroups === 'all' ? ('all' as const) : [...person.deviceGroups],
  disabled: person.disabled,
  hasPassword: person.passwordHash !== null,
  hasSecondFactor: person.totpSecret !== null || person.securityKeys > 0,
  hasAuthenticatorApp: person.totpSecret !== null,
  securityKeys: person.securityKeys,
  secondFactor: mustHaveFactor(person, io.secondFactor) ? ('required' as const) : ('optional' as const),
  createdDateTimeUtc: formatInstant(person.createdAt),
  lastSignInDateTimeUtc: formatInstantOrNull(person.lastSignInAt),
});

export const people = (io: PeopleIo): People => ({
  createPerson: async ({ name, displayName, roles, deviceGroups, secondFactor }) => {
    const { record, answer } = await newSetUp(io, name);
    const person = {
      id: io.newId(),
      name,
      displayName: displayName ?? name,
      roles: [...new Set(roles)],
      deviceGroups: await groupsOf(io, deviceGroups),
      secondFactorRequired: secondFactor === 'required',
    };
    if (!(await io.people.add(person, record, changeOf(io))))
      throw new Refusal('BadRequest', `There is somebody called ${JSON.stringify(name)} already.`);
    return answer;
  },
  listPeople: async () => ({ people: (await io.people.list(io.tenant)).map((person) => summary(io, person)) }),
  changePerson: async ({ name, roles, deviceGroups, disabled, secondFactor, resetSecondFactor }) => {
    const { id } = await requirePerson(io, name);
    const settings = {
      ...(roles === undefined ? {} : { roles: [...new Set(roles)] }),
      ...(deviceGroups === undefined ? {} : { deviceGroups: await groupsOf(io, deviceGroups) }),
      ...(disabled === undefined ? {} : { disabled }),
      ...(secondFactor === undefined ? {} : { secondFactorRequired: secondFactor === 'required' }),
      ...(resetSecondFactor === undefined ? {} : { resetSecondFactor }),
    };
    await io.people.change(id, settings, changeOf(io));
    return { changed: Object.keys(settings).length > 0 };
  },
  resetPerson: async ({ name }) => {
    const person = await requirePerson(io, name);
    const { record, answer } = await newSetUp(io, person.name);
    await io.people.reset(person.id, record, changeOf(io));
    return answer;
  },
  deletePerson: async ({ name }) => {
    const person = await io.people.find(io.tenant, name);
    if (person !== null) await io.people.remove(person.id, changeOf(io));
    return { deleted: person !== null };
  },
});
