/** What the command line does to people who sign in here by themselves, while no other issuer knows them. */
import { z } from 'zod';
import { InstantText } from '../instant.ts';
import { PERSON_ROLES } from '../permission.ts';
import { GroupName } from './group-name.ts';

/** How a person is called: an address in most places. Unique in its tenant, in any case. */
export const PersonName = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\s\p{C}]+$/u, 'expected a name without spaces, as anna@example.org');

/** Whether a person has to have a second factor; `optional`: unless the server's own setting demands it of everybody. */
export const SECOND_FACTOR_RULES = ['optional', 'required'] as const;
export type SecondFactorRule = (typeof SECOND_FACTOR_RULES)[number];

const Rule = z.enum(SECOND_FACTOR_RULES);
const Roles = z.array(z.enum(PERSON_ROLES));
const Groups = z.union([z.literal('all'), z.array(GroupName).min(1).max(200)]);

/** The way to a first password: a link where a server runs, and its secret by itself. */
const SetUp = z.object({
  name: z.string(),
  /** Null while no server runs on the folder. */
  url: z.string().nullable(),
  secret: z.string(),
  expiresDateTimeUtc: InstantText,
});

export const PersonSummary = z.object({
  id: z.guid(),
  name: z.string(),
  displayName: z.string(),
  roles: Roles,
  deviceGroups: z.union([z.literal('all'), z.array(z.string())]),
  disabled: z.boolean(),
  hasPassword: z.boolean(),
  hasSecondFactor: z.boolean(),
  hasAuthenticatorApp: z.boolean(),
  securityKeys: z.int(),
  /** By the word for this person, or by the setting of the server that runs on the folder. */
  secondFactor: Rule,
  createdDateTimeUtc: InstantText,
  lastSignInDateTimeUtc: InstantText.nullable(),
});
export type PersonSummary = z.infer<typeof PersonSummary>;

export const PERSON_OPERATIONS = {
  createPerson: {
    request: z.strictObject({
      name: PersonName,
      displayName: z.string().trim().min(1).max(200).optional(),
      roles: Roles.min(1),
      deviceGroups: Groups,
      secondFactor: Rule.optional(),
    }),
    answer: SetUp,
  },
  listPeople: { request: z.strictObject({}), answer: z.object({ people: z.array(PersonSummary) }) },
  changePerson: {
    request: z.strictObject({
      name: PersonName,
      roles: Roles.min(1).optional(),
      deviceGroups: Groups.optional(),
      disabled: z.boolean().optional(),
      secondFactor: Rule.optional(),
      /** App, security keys and recovery codes are forgotten, and refresh tokens end; the password stays. */
      resetSecondFactor: z.literal(true).optional(),
    }),
    answer: z.object({ changed: z.boolean() }),
  },
  /** Password and second factor are forgotten, and everything that was issued ends. */
  resetPerson: { request: z.strictObject({ name: PersonName }), answer: SetUp },
  deletePerson: { request: z.strictObject({ name: PersonName }), answer: z.object({ deleted: z.boolean() }) },
} as const satisfies Record<string, { readonly request: z.ZodType; readonly answer: z.ZodType }>;
