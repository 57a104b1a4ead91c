import { expect, test } from 'bun:test';
import { MachineId } from '@longarm/contract/ids';
import { newestProof } from './newest-proof.ts';
import { newSession, type Session } from './session.ts';

const [ONE, OTHER] = [MachineId.parse('a'.repeat(40)), MachineId.parse('b'.repeat(40))];
const wire = { send: () => {}, close: () => {}, terminate: () => {} };
const connection = (id: string): Session =>
  newSession({ id, nonce: id, remoteAddress: null, wire, onRefused: () => {}, now: 0 });

const world = (...ids: readonly string[]) => {
  const newest = newestProof();
  const sessions = ids.map(connection);
  for (const session of sessions) newest.opened(session);
  const prove = (place: number, machineId = ONE) => newest.isNewest(sessions[place] ?? connection('none'), machineId);
  return { newest, sessions, prove };
};

test('a proof on a connection that came before the one that holds is late, whatever was forgotten meanwhile', () => {
  const { newest, prove } = world('first', 'second', 'third');
  expect(prove(1)).toBe(true);
  newest.forget();
  expect(prove(0)).toBe(false);
  expect(prove(2)).toBe(true);
});

test('it is late as well when the newer connection is over by then', () => {
  const { newest, sessions, prove } = world('first', 'second');
  expect(prove(1)).toBe(true);
  const [, second] = sessions;
  if (second !== undefined) newest.closed(second);
  newest.forget();
  expect(prove(0)).toBe(false);
});

test('other machines are none of its business', () => {
  const { prove } = world('first', 'second');
  expect(prove(1, OTHER)).toBe(true);
  expect(prove(0, ONE)).toBe(true);
});
