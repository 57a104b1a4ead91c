import { expect, test } from 'bun:test';
import { TenantId } from '@longarm/contract/ids';
import { auditTally, type Happening, TALLY_PLACES } from './tally.ts';
import { writeTally } from './write-tally.ts';

const TENANT = TenantId.parse('00000000-0000-4000-8000-000000000001');
const OTHER = TenantId.parse('00000000-0000-4000-8000-000000000002');

const refusal = (changes: Partial<Happening> = {}): Happening => ({
  event: 'request.refused',
  by: null,
  subject: 'runLiveResponse',
  code: 'Unauthorized',
  origin: { address: '192.0.2.1', requestId: 'r' },
  ...changes,
});
const from = (address: string, requestId = 'r') => refusal({ origin: { address, requestId } });
const analyst = { tenantId: OTHER, name: 'analyst' };

test('the same thing is one entry with its count, its first and its last request', () => {
  let now = 1_000;
  const tally = auditTally(() => now++);
  for (let time = 0; time < 10_000; time++) tally.count(from('192.0.2.1', `r${time}`));
  tally.count(refusal({ by: analyst, about: 'm1' }));
  expect(tally.take(TENANT)).toEqual([
    {
      tenantId: TENANT,
      at: 10_999,
      actor: 'stranger',
      event: 'request.refused',
      subject: 'runLiveResponse',
      origin: { address: '192.0.2.1', requestId: 'r9999' },
      detail: { code: 'Unauthorized', count: 10_000, firstAt: 1_000, firstRequestId: 'r0' },
    },
    expect.objectContaining({ tenantId: OTHER, actor: 'analyst', detail: expect.objectContaining({ about: 'm1' }) }),
  ]);
  expect(tally.take(TENANT)).toEqual([]);
});

test('who, what, with which code, and from where are told apart', () => {
  const tally = auditTally(() => 0);
  const told = [
    refusal(),
    refusal({ by: analyst }),
    refusal({ by: { ...analyst, tenantId: TENANT } }),
    refusal({ subject: 'cancelMachineAction' }),
    refusal({ code: 'InvalidInput' }),
    refusal({ event: 'request.failed' }),
    from('192.0.2.2'),
  ];
  for (const each of [...told, ...told]) tally.count(each);
  expect(tally.take(TENANT).map(({ detail }) => detail?.count)).toEqual(told.map(() => 2));
});

test('a flood from everywhere has as many entries as there are places and one more, and hides nobody who is known', () => {
  const tally = auditTally(() => 0);
  for (let place = 0; place < 10_000; place++) tally.count(from(`2001:db8::${place.toString(16)}`));
  tally.count(refusal({ by: analyst }));
  const entries = tally.take(TENANT);
  expect(entries.length).toBe(TALLY_PLACES + 2);
  expect(entries[TALLY_PLACES]).toMatchObject({
    actor: 'stranger',
    subject: 'others',
    origin: { address: null },
    detail: { code: 'others', count: 10_000 - TALLY_PLACES },
  });
  expect(entries.at(-1)).toMatchObject({ actor: 'analyst', subject: 'runLiveResponse' });
});

test('texts that somebody else chose are cut', () => {
  const tally = auditTally(() => 0);
  const long = 'x'.repeat(10_000);
  tally.count(refusal({ by: { tenantId: null, name: long }, about: long, origin: { address: long, requestId: 'r' } }));
  expect(JSON.stringify(tally.take(TENANT)).length).toBeLessThan(1_000);
});

test('what could not be written is written the next time, once', async () => {
  const tally = auditTally(() => 0);
  const written: unknown[] = [];
  let isFull = true;
  const append = async (entries: readonly unknown[]) => {
    if (isFull) throw new Error('the disk is full');
    written.push(...entries);
  };
  const write = writeTally({ audit: { append }, tally, strangersTenant: async () => TENANT });
  tally.count(refusal());
  await expect(write()).rejects.toThrow('the disk is full');
  tally.count(from('192.0.2.2'));
  isFull = false;
  for (let time = 0; time < 3; time++) await write();
  expect(written).toMatchObject([{ origin: { address: '192.0.2.1' } }, { origin: { address: '192.0.2.2' } }]);
});
