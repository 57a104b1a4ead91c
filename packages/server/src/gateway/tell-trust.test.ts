import { expect, test } from 'bun:test';
import { Sha256 } from '@longarm/contract/ids';
import { newSession, type Session } from './session.ts';
import { tellTrust, trustSerialOf } from './tell-trust.ts';

const [a, b, c] = ['a', 'b', 'c'].map((letter) => Sha256.parse(letter.repeat(64))) as [Sha256, Sha256, Sha256];
const announced = { serial: 7, fingerprints: [a, b] };

test('who believes what was announced is told nothing, and so is who goes by its system or does not understand', () => {
  expect(trustSerialOf([b, a], announced)).toBe(7);
  expect([trustSerialOf(undefined, announced), trustSerialOf([], announced)]).toEqual([null, null]);
  for (const other of [[a], [a, c], [a, b, c]]) expect(trustSerialOf(other, announced)).toBe(0);
  // nothing was announced yet: it is told as soon as something is
  expect(trustSerialOf([a], null)).toBe(0);
});

const sessionOf = (sent: string[], changes: Partial<Session>): Session => {
  const wire = { send: (text: string) => sent.push(text), close: () => {}, terminate: () => {} };
  const start = { id: 's', nonce: null, remoteAddress: null, wire, onRefused: () => {}, now: 1 };
  return Object.assign(newSession(start), { phase: 'connected', trustSerial: 0 }, changes);
};

test('so many are told at once, the others the next time, and none twice', () => {
  const sent: string[] = [];
  const announcement = { serial: 7, statement: 'a.b.c' };
  const told = Array.from({ length: 5 }, () => sessionOf(sent, {}));
  const untold = [
    { trustSerial: null },
    { trustSerial: 7 },
    { phase: 'proving' } as const,
    { phase: 'closed' } as const,
  ];
  const all = [...untold.map((changes) => sessionOf(sent, changes)), ...told];
  const counts = [1, 2, 3, 4].map(() => {
    tellTrust(all, announcement, 2);
    return sent.length;
  });
  expect(counts).toEqual([2, 4, 5, 5]);
  expect(new Set(sent)).toEqual(new Set(['{"type":"trust","statement":"a.b.c"}']));
  // a later word goes to all of them again
  tellTrust(all, { ...announcement, serial: 8 }, 100);
  expect(sent).toHaveLength(11);
});
