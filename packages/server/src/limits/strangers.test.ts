import { expect, test } from 'bun:test';
import { PROFILES } from '@longarm/contract/limits';
import { networkOf, strangers } from './strangers.ts';

const world = (inAll: number, perAddress: number) => {
  let now = 1_000_000;
  const limits = {
    ...PROFILES['2021-06'].limits,
    'unproven-sockets': inAll,
    'unproven-per-address': perAddress,
    'handshake-seconds': 30,
  };
  const door = strangers({ limits, now: () => now });
  return {
    door,
    enter: (address: string) => {
      const refusal = door.refusal(address);
      if (refusal === null) door.enter(address);
      return refusal?.limit ?? null;
    },
    pass: (seconds: number) => {
      now += seconds * 1_000;
    },
  };
};

test('so many of one address, and no more; others are not kept out', () => {
  const { enter } = world(100, 3);
  for (let socket = 0; socket < 3; socket++) expect(enter('10.0.0.1')).toBeNull();
  expect(enter('10.0.0.1')).toBe('unproven-per-address');
  expect(enter('10.0.0.2')).toBeNull();
});

test('so many in all, and no more', () => {
  const { enter, door } = world(3, 100);
  for (let socket = 0; socket < 3; socket++) expect(enter(`10.0.0.${socket}`)).toBeNull();
  expect(enter('10.0.0.9')).toBe('unproven-sockets');
  door.gone();
  expect(enter('10.0.0.9')).toBeNull();
});

test('a proof gives the place back: a fleet behind one address gets in', () => {
  const { enter, door } = world(3, 3);
  for (let device = 0; device < 1_000; device++) {
    expect(enter('10.0.0.1')).toBeNull();
    door.proven('10.0.0.1');
  }
});

test('opening and closing gives nothing back before the time for a handshake is over', () => {
  const { enter, door, pass } = world(100, 3);
  for (let socket = 0; socket < 3; socket++) {
    expect(enter('10.0.0.1')).toBeNull();
    door.gone();
  }
  expect(enter('10.0.0.1')).toBe('unproven-per-address');
  pass(9.9);
  door.forget();
  expect(enter('10.0.0.1')).toBe('unproven-per-address');
  pass(0.1);
  expect(enter('10.0.0.1')).toBeNull();
  expect(enter('10.0.0.1')).toBe('unproven-per-address');
  pass(30);
  door.forget();
  for (let socket = 0; socket < 3; socket++) expect(enter('10.0.0.1')).toBeNull();
});

test('an address counts as its network, however it is written', () => {
  expect(networkOf('::ffff:10.0.0.1')).toBe('10.0.0.1');
  expect(networkOf('2001:db8:0:1::5')).toBe(networkOf('2001:0DB8::1:ffff:ffff:ffff:ffff'));
  expect(networkOf('2001:db8:0:1::5')).not.toBe(networkOf('2001:db8:0:2::5'));
  expect(networkOf('::1')).toBe('0:0:0:0');
  expect(networkOf(null)).toBe('');
});
