import { expect, test } from 'bun:test';
import { TenantId } from '@longarm/contract/ids';
import { exportJWK, generateKeyPair } from 'jose';
import type { IssuerRecord } from '../issuer-ports.ts';
import { issuerKeys } from './issuer-keys.ts';

const ISSUER: IssuerRecord = {
  id: 'i',
  tenantId: TenantId.parse('11111111-1111-4111-8111-111111111111'),
  createdAt: 0,
  url: 'https://sso.example',
  discoveryUrl: null,
  audiences: ['a'],
  tid: null,
  roleClaim: 'roles',
  groupClaim: 'groups',
  roleMap: {},
  groupMap: {},
};

const open = async (document: object = { issuer: ISSUER.url, jwks_uri: 'https://sso.example/keys' }) => {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const state = { now: 0, names: ['k1'], isUp: true, asked: 0, faults: 0 };
  const keys = issuerKeys({
    now: () => state.now,
    onFault: () => {
      state.faults++;
    },
    fetchJson: async (url) => {
      if (!state.isUp) throw new Error('away');
      if (url.endsWith('openid-configuration')) return document;
      state.asked++;
      return { keys: state.names.map((kid) => ({ ...jwk, kid })) };
    },
  });
  return { state, keys };
};

test('keys are kept for an hour, and asked for once by many', async () => {
  const { state, keys } = await open();
  await Promise.all([keys.of(ISSUER, 'k1'), keys.of(ISSUER, 'k1'), keys.of(ISSUER, 'k1')]);
  state.now = 3_599_000;
  await keys.of(ISSUER, 'k1');
  expect(state.asked).toBe(1);
  state.now = 3_600_000;
  await keys.of(ISSUER, 'k1');
  expect(state.asked).toBe(2);
});

test('a new key is found at its first use; names that do not exist ask no more than twice a minute', async () => {
  const { state, keys } = await open();
  await keys.of(ISSUER, 'k1');
  state.names = ['k1', 'k2'];
  state.now = 30_000;
  await keys.of(ISSUER, 'k2');
  expect(state.asked).toBe(2);
  for (let name = 0; name < 100; name++) await keys.of(ISSUER, `made up ${name}`);
  expect(state.asked).toBe(2);
});

test('while the issuer is away its keys work on; without any there are none', async () => {
  const { state, keys } = await open();
  state.isUp = false;
  expect(await keys.of(ISSUER, 'k1')).toBeNull();
  state.isUp = true;
  state.now = 30_000;
  const had = await keys.of(ISSUER, 'k1');
  state.isUp = false;
  state.now = 100_000_000;
  expect(await keys.of(ISSUER, 'k1')).toBe(had);
  expect(state.faults).toBe(2);
});

test('a document of another issuer, and keys over a line that anybody may change, are not believed', async () => {
  const documents = [
    { issuer: 'https://other.example', jwks_uri: 'https://sso.example/keys' },
    { issuer: ISSUER.url, jwks_uri: 'http://sso.example/keys' },
  ];
  for (const document of documents) expect(await (await open(document)).keys.of(ISSUER, 'k1')).toBeNull();
});
