import { describe, expect, test } from 'bun:test';
import { ActionId, MachineId, TenantId } from '@longarm/contract/ids';
import { createManualWorld } from '@longarm/testkit/manual-world';
import { resultLinks } from './result-link.ts';
import { tickets } from './ticket.ts';

const key = new Uint8Array(32).fill(7);
const tenantId = TenantId.parse('00000000-0000-4000-8000-000000000001');
const actionId = ActionId.parse('00000000-0000-4000-8000-000000000002');
const machineId = MachineId.parse('0'.repeat(40));
const address = { tenantId, actionId, index: 3 };
const DAY_MS = 86_400_000;

describe('a result link', () => {
  const newLinks = (validMs = 1_800_000) => {
    const world = createManualWorld();
    return { world, links: resultLinks({ key, now: world.now, validMs }) };
  };

  test('reads back as what it was made for, to the end of its minutes and not past it', () => {
    const { world, links } = newLinks();
    const url = new URL(links.sign(address, 'https://lr.example'));
    expect(url.origin).toBe('https://lr.example');
    expect(links.read(url)).toEqual(address);
    world.advance(1_799_999);
    expect(links.read(url)).toEqual(address);
    world.advance(1);
    expect(links.read(url)).toBe('expired');
  });

  test('lives at least as long as it should, and less than a second more, when that is a fraction', () => {
    const { world, links } = newLinks(250);
    const url = new URL(links.sign(address, 'https://lr.example'));
    world.advance(250);
    expect(links.read(url)).toEqual(address);
    world.advance(750);
    expect(links.read(url)).toBe('expired');
  });

  test('is good at whatever address it is asked for, with more options behind it', () => {
    const { links } = newLinks();
    const url = new URL(`${links.sign(address, 'https://lr.example')}&raw=1&stream=stdout`);
    url.host = 'elsewhere.example';
    expect(links.read(url)).toEqual(address);
  });

  test('that was changed in any part is forged; what is no link is none', () => {
    const { links } = newLinks();
    const link = links.sign(address, 'https://lr.example');
    for (const [from, to] of [
      ['/3?', '/4?'],
      ['/3?', '/03?'],
      ['000000000002', '000000000003'],
      ['000000000001', '000000000003'],
      ['se=1', 'se=2'],
      ['se=', 'other='],
      ['sig=', 'sig=A'],
    ] as const) {
      const changed = link.replace(from, to);
      expect(changed).not.toBe(link);
      // the same number in other digits is the same result
      expect([to, links.read(new URL(changed))]).toEqual([to, to === '/03?' ? address : 'forged']);
    }
    expect(links.read(new URL('https://lr.example/results/x'))).toBeNull();
    const other = resultLinks({ key: new Uint8Array(32), now: createManualWorld().now, validMs: 1 });
    expect(other.read(new URL(link))).toBe('forged');
  });
});

describe('a ticket', () => {
  test('is good for a week, for its machine and action, at the server that made it', () => {
    const world = createManualWorld();
    const book = tickets({ key, now: world.now });
    const text = book.issue(machineId, actionId);
    expect(book.read(text)).toMatchObject({ machineId, actionId });
    world.advance(7 * DAY_MS - 1);
    expect(book.read(text)).not.toBeNull();
    world.advance(1);
    expect(book.read(text)).toBeNull();
    expect(tickets({ key: new Uint8Array(32), now: () => 0 }).read(text)).toBeNull();
  });

  test('and a link do not stand for each other, though one key seals both', () => {
    const world = createManualWorld();
    const link = new URL(resultLinks({ key, now: world.now, validMs: 1_000 }).sign(address, 'https://lr.example'));
    const payload = Buffer.from(JSON.stringify({ machineId, actionId, expiresAt: world.now() + 1_000 })).toString(
      'base64url',
    );
    expect(tickets({ key, now: world.now }).read(`${payload}.${link.searchParams.get('sig')}`)).toBeNull();
  });
});
