/** Refresh tokens, device codes and authorization codes in the store, each by its hash alone. */
import type { ApplicationId } from '@longarm/contract/ids';
import type { Scope } from '@longarm/contract/permission';
import type { Kysely, Selectable } from 'kysely';
import type {
  AuthorizationCodeRecord,
  DeviceCodeRecord,
  GrantStore,
  Polled,
  RefreshRecord,
} from '../../auth/grant-ports.ts';
import type { AuthorizationCodeRow, DeviceCodeRow, RefreshTokenRow, Schema } from '../schema.ts';
import type { UnitQueue } from '../unit-queue.ts';

/** What a device that polls too often has to wait longer each time (RFC 8628 3.5). */
const SLOWER_MS = 5_000;
/** An authorization code is remembered this long after its end, so that its second use is known as one. */
const REMEMBERED_MS = 86_400_000;

// written by this store from parsed names
const scopesOf = (text: string): readonly Scope[] => JSON.parse(text) as Scope[];

const refreshRecord = (row: Selectable<RefreshTokenRow>): RefreshRecord => ({
  sha256: row.token_sha256,
  family: row.family,
  applicationId: row.application_id,
  personId: row.person_id,
  scopes: scopesOf(row.scopes),
  isStrong: row.is_strong === 1,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});

const insertRefreshToken = async (db: Kysely<Schema>, token: RefreshRecord) => {
  await db
    .insertInto('refresh_tokens')
    .values({
      token_sha256: token.sha256,
      family: token.family,
      application_id: token.applicationId,
      person_id: token.personId,
      scopes: JSON.stringify(token.scopes),
      is_strong: token.isStrong ? 1 : 0,
      created_at: token.createdAt,
      expires_at: token.expiresAt,
      used_at: null,
    })
    .execute();
};

const endFamily = (db: Kysely<Schema>, family: string) =>
  db.deleteFrom('refresh_tokens').where('family', '=', family).execute();

const rotate =
  (db: Kysely<Schema>, now: number) =>
  async (
    sha256: string,
    next: Pick<RefreshRecord, 'sha256' | 'expiresAt'>,
  ): Promise<'rotated' | 'unknown' | 'expired' | 'reused'> => {
    const row = await db.selectFrom('refresh_tokens').selectAll().where('token_sha256', '=', sha256).executeTakeFirst();
    if (row === undefined) return 'unknown';
    if (row.used_at !== null) {
      await endFamily(db, row.family);
      return 'reused';
    }
    if (row.expires_at <= now) return 'expired';
    await db.updateTable('refresh_tokens').set({ used_at: now }).where('token_sha256', '=', sha256).execute();
    await insertRefreshToken(db, { ...refreshRecord(row), ...next, createdAt: now });
    await db.deleteFrom('refresh_tokens').where('expires_at', '<=', now).execute();
    return 'rotated';
  };

const deviceCodeRecord = (row: Selectable<DeviceCodeRow>): DeviceCodeRecord => ({
  sha256: row.code_sha256,
  userCode: row.user_code,
  applicationId: row.application_id,
  scopes: scopesOf(row.scopes),
  expiresAt: row.expires_at,
  intervalMs: row.interval_ms,
});

const addDeviceCode = async (db: Kysely<Schema>, code: DeviceCodeRecord, now: number) => {
  await db
    .deleteFrom('device_codes')
    .where('expires_at', '<=', now - REMEMBERED_MS)
    .execute();
  await db
    .insertInto('device_codes')
    .values({
      code_sha256: code.sha256,
      user_code: code.userCode,
      application_id: code.applicationId,
      scopes: JSON.stringify(code.scopes),
      expires_at: code.expiresAt,
      polled_at: null,
      interval_ms: code.intervalMs,
      state: 'pending',
      person_id: null,
      is_strong: 0,
    })
    .execute();
};

const pollPending = async (db: Kysely<Schema>, row: Selectable<DeviceCodeRow>, now: number): Promise<Polled> => {
  const isSlow = row.polled_at !== null && now < row.polled_at + row.interval_ms;
  await db
    .updateTable('device_codes')
    .set({ polled_at: now, interval_ms: isSlow ? row.interval_ms + SLOWER_MS : row.interval_ms })
    .where('code_sha256', '=', row.code_sha256)
    .execute();
  return { kind: isSlow ? 'slow' : 'pending' };
};

const poll =
  (db: Kysely<Schema>, now: number) =>
  async (sha256: string, by: ApplicationId): Promise<Polled> => {
    const codes = db.selectFrom('device_codes').selectAll().where('code_sha256', '=', sha256);
    const row = await codes.where('application_id', '=', by).executeTakeFirst();
    if (row === undefined) return { kind: 'unknown' };
    if (row.expires_at <= now) return { kind: 'expired' };
    if (row.state === 'pending') return pollPending(db, row, now);
    await db.deleteFrom('device_codes').where('code_sha256', '=', sha256).execute();
    const { person_id: personId, application_id: applicationId } = row;
    if (row.state === 'denied' || personId === null) return { kind: 'denied' };
    return {
      kind: 'approved',
      delegation: { applicationId, personId, scopes: scopesOf(row.scopes), isStrong: row.is_strong === 1 },
    };
  };

const codeRecord = (row: Selectable<AuthorizationCodeRow>): AuthorizationCodeRecord => ({
  sha256: row.code_sha256,
  applicationId: row.application_id,
  personId: row.person_id,
  scopes: scopesOf(row.scopes),
  redirectUri: row.redirect_uri,
  challenge: row.challenge,
  isStrong: row.is_strong === 1,
  expiresAt: row.expires_at,
});

const addAuthorizationCode = async (db: Kysely<Schema>, code: AuthorizationCodeRecord, now: number) => {
  await db
    .deleteFrom('authorization_codes')
    .where('expires_at', '<=', now - REMEMBERED_MS)
    .execute();
  await db
    .insertInto('authorization_codes')
    .values({
      code_sha256: code.sha256,
      application_id: code.applicationId,
      person_id: code.personId,
      scopes: JSON.stringify(code.scopes),
      redirect_uri: code.redirectUri,
      challenge: code.challenge,
      is_strong: code.isStrong ? 1 : 0,
      expires_at: code.expiresAt,
      family: null,
    })
    .execute();
};

const takeAuthorizationCode =
  (db: Kysely<Schema>, now: number) =>
  async (sha256: string, family: string): Promise<AuthorizationCodeRecord | 'unknown' | 'expired' | 'reused'> => {
    const row = await db
      .selectFrom('authorization_codes')
      .selectAll()
      .where('code_sha256', '=', sha256)
      .executeTakeFirst();
    if (row === undefined) return 'unknown';
    if (row.family !== null) {
      await endFamily(db, row.family);
      return 'reused';
    }
    if (row.expires_at <= now) return 'expired';
    await db.updateTable('authorization_codes').set({ family }).where('code_sha256', '=', sha256).execute();
    return codeRecord(row);
  };

export const grantStore = (units: UnitQueue<Schema>, reader: Kysely<Schema>): GrantStore => ({
  addRefreshToken: (token) => units.run((db) => insertRefreshToken(db, token)),
  findRefreshToken: async (sha256) => {
    const tokens = reader.selectFrom('refresh_tokens').selectAll();
    const row = await tokens.where('token_sha256', '=', sha256).executeTakeFirst();
    return row === undefined ? null : refreshRecord(row);
  },
  rotateRefreshToken: (sha256, next, now) => units.run((db) => rotate(db, now)(sha256, next)),
  addDeviceCode: (code, now) => units.run((db) => addDeviceCode(db, code, now)),
  findUserCode: async (userCode, now) => {
    const pending = reader.selectFrom('device_codes').selectAll().where('state', '=', 'pending');
    const row = await pending.where('user_code', '=', userCode).where('expires_at', '>', now).executeTakeFirst();
    return row === undefined ? null : deviceCodeRecord(row);
  },
  decideDeviceCode: (userCode, { personId, isStrong, isAllowed }, now) =>
    units.run(async (db) => {
      const decided = await db
        .updateTable('device_codes')
        .set({ state: isAllowed ? 'approved' : 'denied', person_id: personId, is_strong: isStrong ? 1 : 0 })
        .where('user_code', '=', userCode)
        .where('state', '=', 'pending')
        .where('expires_at', '>', now)
        .returning('user_code')
        .executeTakeFirst();
      return decided !== undefined;
    }),
  pollDeviceCode: (sha256, by, now) => units.run((db) => poll(db, now)(sha256, by)),
  addAuthorizationCode: (code, now) => units.run((db) => addAuthorizationCode(db, code, now)),
  takeAuthorizationCode: (sha256, family, now) => units.run((db) => takeAuthorizationCode(db, now)(sha256, family)),
});
