import { expect, test } from 'bun:test';
import { addressOf } from './address-of.ts';

test('agents take addresses of loopback in turn, and leave any other server alone', () => {
  const at = (place: number, addresses: number) => addressOf('http://127.0.0.1:8443', place, addresses);
  expect([at(0, 3), at(2, 3), at(3, 3), at(5, 1)]).toEqual([
    'http://127.0.0.1:8443',
    'http://127.0.0.3:8443',
    'http://127.0.0.1:8443',
    'http://127.0.0.1:8443',
  ]);
  expect(addressOf('https://lr.example.org:8443', 7, 3)).toBe('https://lr.example.org:8443');
});
