/** Who asks by the token of another issuer: verified by its keys, its claims read as ours. */
import { createHash } from 'node:crypto';
import { Refusal } from '@longarm/contract/errors';
import { ApplicationId } from '@longarm/contract/ids';
import { PERSON_ROLES, ROLES, SCOPES } from '@longarm/contract/permission';
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Caller } from '../../audit/ports.ts';
import type { IssuerRecord, IssuerStore } from '../issuer-ports.ts';
import type { IssuerKeys, KeySet } from './issuer-keys.ts';

/** Signatures only: what is encrypted with a shared secret would make every holder of it an issuer. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** Of two clocks. */
const LEEWAY_SECONDS = 120;

export type ForeignIo = {
  readonly issuers: Pick<IssuerStore, 'findIssuer'>;
  readonly keys: IssuerKeys;
  readonly now: () => number;
};

const unauthorized = (sentence: string) => new Refusal('Unauthorized', sentence);

const text = (claims: JWTPayload, ...names: readonly string[]): string | null => {
  for (const name of names) {
    const value = claims[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
};

/** The texts at a dotted path; one text counts as a list of it. */
const textsAt = (claims: JWTPayload, path: string): readonly string[] => {
  let value: unknown = claims;
  for (const name of path.split('.'))
    value =
      typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : null;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((item) => typeof item === 'string');
};

/** A name of ours for an application that only its issuer knows: never that of one of our own. */
const applicationIdOf = (issuer: IssuerRecord, client: string): ApplicationId => {
  const hex = createHash('sha256').update(`${issuer.url}\n${client}`, 'utf8').digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return ApplicationId.parse(parts.join('-'));
};

const scopesOf = (claims: JWTPayload): readonly string[] =>
  (text(claims, 'scp', 'scope') ?? '')
    .split(' ')
    .filter((name) => name !== '')
    .map((name) => name.replace(/^.*\//, ''));

/** Entra ID says it by `scp`; others have a `scope` in every token, and one of ours in it in those of people. */
const isPerson = (claims: JWTPayload, scopes: readonly string[]): boolean => {
  if (claims.idtyp === 'app') return false;
  return text(claims, 'scp') !== null || scopes.some((scope) => SCOPES.some((known) => known === scope));
};

const groupsOf = (issuer: IssuerRecord, claims: JWTPayload): Caller['deviceGroups'] => {
  if (Object.keys(issuer.groupMap).length === 0) return 'all';
  const groups = new Set(textsAt(claims, issuer.groupClaim));
  return Object.entries(issuer.groupMap).flatMap(([value, group]) => (groups.has(value) ? [group] : []));
};

const callerOf = (issuer: IssuerRecord, claims: JWTPayload): Omit<Caller, 'origin'> => {
  const scopes = scopesOf(claims);
  const client = text(claims, 'azp', 'appid', 'client_id') ?? issuer.url;
  const subject = text(claims, 'oid', 'sub');
  if (subject === null) throw unauthorized('The token says of nobody whose it is: expected oid or sub.');
  const person = isPerson(claims, scopes);
  const known: readonly string[] = person ? PERSON_ROLES : ROLES;
  const roles = textsAt(claims, issuer.roleClaim).map((value) => issuer.roleMap[value] ?? value);
  const name = person
    ? text(claims, 'upn', 'preferred_username', 'unique_name', 'email')
    : text(claims, 'app_displayname', 'azp', 'appid', 'client_id');
  return {
    kind: person ? 'person' : 'application',
    tenantId: issuer.tenantId,
    deviceGroups: groupsOf(issuer, claims),
    subject: `${issuer.id} ${client} ${subject}`,
    principal: `${issuer.id} ${subject}`,
    applicationId: applicationIdOf(issuer, client),
    name: name ?? subject,
    roles: roles.filter((role) => known.includes(role)),
    scopes: person ? scopes : [],
  };
};

const verify = async (io: ForeignIo, token: string, { issuer, set }: { issuer: IssuerRecord; set: KeySet }) => {
  try {
    const { payload } = await jwtVerify(token, set, {
      algorithms: ALGORITHMS,
      issuer: issuer.url,
      audience: issuer.audiences,
      currentDate: new Date(io.now()),
      clockTolerance: LEEWAY_SECONDS,
      requiredClaims: ['exp', 'aud'],
    });
    return payload;
  } catch (fault) {
    if (fault instanceof errors.JWTExpired) throw unauthorized('The token has expired. Ask for a new one.');
    if (fault instanceof errors.JWTClaimValidationFailed)
      throw unauthorized(`The claim ${fault.claim} of the token is not as expected of this issuer.`);
    throw unauthorized('The token is not valid here: its signature is by no key of its issuer.');
  }
};

/** True for a token that says that it is not by the key of this name. */
export const isForeign = (token: string, ownKeyId: string): boolean => {
  try {
    const { kid } = decodeProtectedHeader(token);
    return kid !== undefined && kid !== ownKeyId;
  } catch {
    return false;
  }
};

const claimedIssuer = (token: string): string => {
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    return '';
  }
};

/** Throws Unauthorized. */
export const foreignCaller =
  (io: ForeignIo) =>
  async (token: string): Promise<Omit<Caller, 'origin'>> => {
    const issuer = await io.issuers.findIssuer(claimedIssuer(token));
    if (issuer === null)
      throw unauthorized(
        'The token is not valid here: it was neither issued by this server nor by an issuer that it knows.',
      );
    const set = await io.keys.of(issuer, decodeProtectedHeader(token).kid);
    if (set === null) throw unauthorized('The keys of the token’s issuer cannot be had at the moment. Try again.');
    const claims = await verify(io, token, { issuer, set });
    if (issuer.tid !== null && claims.tid !== issuer.tid)
      throw unauthorized('The claim tid of the token is not as expected of this issuer.');
    return callerOf(issuer, claims);
  };
