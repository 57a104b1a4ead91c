/** Who asks: verifies the bearer token, and that its application still exists. Throws Unauthorized. */
import type { SecondFactorRule } from '@longarm/contract/admin/person-operations';
import { Refusal } from '@longarm/contract/errors';
import { ApplicationId, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { errors, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Caller } from '../audit/ports.ts';
import { bothReach } from '../audit/reach.ts';
import { OWN_PERSON } from './grants/delegated-answer.ts';
import { isForeign } from './issuers/foreign-caller.ts';
import { mustHaveFactor } from './people/must-have-factor.ts';
import type { PeopleStore, PersonRecord } from './people-ports.ts';
import type { AccessStore } from './ports.ts';
import type { TokenKey } from './token-keys.ts';

type BearerIo = {
  readonly access: Pick<AccessStore, 'findApplication'>;
  readonly people: Pick<PeopleStore, 'findById'>;
  /** What the server asks of everybody. */
  readonly secondFactor: SecondFactorRule;
  readonly key: TokenKey;
  /** Of tokens that are not ours. */
  readonly foreignCaller: (token: string) => Promise<Omit<Caller, 'origin'>>;
  readonly now: () => EpochMs;
};

const Claims = z.object({
  appid: ApplicationId,
  tid: TenantId,
  roles: z.array(z.string()).default([]),
  /** There, if only empty, in a delegated token. */
  scp: z.string().optional(),
  /** Who, in a delegated token; an application's token has none. */
  upn: z.string().optional(),
  oid: z.string().optional(),
  /** Says whether the person is one of our own. */
  idtyp: z.string().optional(),
  /** What the person proved themselves by (RFC 8176). */
  amr: z.array(z.string()).default([]),
  /** Device groups of the person; without it, all those of the application. */
  device_groups: z.array(z.string()).optional(),
});

const unauthorized = (sentence: string) => new Refusal('Unauthorized', sentence);

const verifyToken = async (io: BearerIo, token: string) => {
  try {
    const { payload } = await jwtVerify(token, io.key.publicKey, {
      algorithms: ['RS256'],
      currentDate: new Date(io.now()),
      requiredClaims: ['exp'],
    });
    return payload;
  } catch (fault) {
    if (fault instanceof errors.JWTExpired) throw unauthorized('The token has expired. Ask for a new one.');
    throw unauthorized('The token is not valid here: it was not issued by this server, or was changed.');
  }
};

type Claims = z.infer<typeof Claims>;
type Verified = { readonly claims: Claims; readonly expiresAt: EpochMs };

/** Tokens whose signature was verified and whose time is not over: a client shows the same one for an hour. */
const TOKENS_KEPT = 1_000;

const claimsOf = (io: BearerIo): ((token: string) => Promise<Claims>) => {
  const kept = new Map<string, Verified>();
  return async (token) => {
    const known = kept.get(token);
    if (known !== undefined && known.expiresAt > io.now()) return known.claims;
    kept.delete(token);
    const payload = await verifyToken(io, token);
    const claims = Claims.safeParse(payload).data;
    if (claims === undefined) throw unauthorized('The token lacks the claims appid and tid.');
    kept.set(token, { claims, expiresAt: (payload.exp ?? 0) * 1_000 });
    const oldest = kept.size > TOKENS_KEPT ? kept.keys().next().value : undefined;
    if (oldest !== undefined) kept.delete(oldest);
    return claims;
  };
};

/** Who one of our own people is now: roles that were taken away since do not work any more. Null for others. */
const ownPerson = async (io: BearerIo, claims: Claims): Promise<PersonRecord | null> => {
  if (claims.idtyp !== OWN_PERSON) return null;
  const person = await io.people.findById(claims.oid ?? '');
  if (person === null || person.tenantId !== claims.tid || person.disabled || person.passwordHash === null)
    throw unauthorized('The person that the token was issued for is disabled, was reset, or no longer exists.');
  if (mustHaveFactor(person, io.secondFactor) && !claims.amr.includes('mfa'))
    throw unauthorized('A second factor is asked of this person by now, and the token was got without: sign in again.');
  return person;
};

const callerOf = async (io: BearerIo, claims: Claims): Promise<Omit<Caller, 'origin'>> => {
  const application = await io.access.findApplication(claims.appid);
  if (application === null || application.tenantId !== claims.tid)
    throw unauthorized('The application that the token was issued to no longer exists.');
  const own = await ownPerson(io, claims);
  const isPerson = claims.scp !== undefined || claims.upn !== undefined;
  const person = claims.oid ?? claims.upn ?? '';
  return {
    kind: isPerson ? 'person' : 'application',
    tenantId: claims.tid,
    deviceGroups: bothReach(application.deviceGroups, own?.deviceGroups ?? claims.device_groups ?? 'all'),
    subject: isPerson ? `${claims.appid} ${person}` : claims.appid,
    principal: isPerson ? person.toLowerCase() : claims.appid,
    applicationId: claims.appid,
    name: own?.name ?? claims.upn ?? (isPerson ? person : application.name),
    roles: own?.roles ?? claims.roles,
    scopes: (claims.scp ?? '').split(' ').filter((scope) => scope !== ''),
  };
};

export const authenticate = (io: BearerIo): ((authorization: string | null) => Promise<Omit<Caller, 'origin'>>) => {
  const readClaims = claimsOf(io);
  return async (authorization) => {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined)
      throw unauthorized(
        'Expected an Authorization header with a Bearer token, got none. Ask /{tenant}/oauth2/v2.0/token for one.',
      );
    if (isForeign(token, io.key.kid)) return io.foreignCaller(token);
    return callerOf(io, await readClaims(token));
  };
};
