import { expect, test } from 'bun:test';
import { isRegistered, originOf } from './redirect-uri.ts';

test('an address is the registered one to the letter', () => {
  const registered = ['https://soar.example/back?x=1', 'myapp://back'];
  for (const uri of registered) expect(isRegistered(registered, uri)).toBe(true);
  for (const uri of [
    'https://soar.example/back',
    'https://soar.example/back?x=1&y',
    'https://soar.example.evil/back?x=1',
  ])
    expect([uri, isRegistered(registered, uri)]).toEqual([uri, false]);
});

test('on loopback the port is whichever is free, and nothing else differs', () => {
  const registered = ['http://localhost/back'];
  expect(isRegistered(registered, 'http://localhost:54321/back')).toBe(true);
  const others = [
    'http://localhost:1/other',
    'http://127.0.0.1:1/back',
    'https://localhost:1/back',
    'http://a@localhost/back',
  ];
  for (const uri of [...others, 'http://localhost.evil:1/back', 'http://localhost:1/back#x'])
    expect([uri, isRegistered(registered, uri)]).toEqual([uri, false]);
});

test('a policy names the origin, or the scheme where there is none', () => {
  expect([originOf('http://localhost:1/back'), originOf('myapp://back')]).toEqual(['http://localhost:1', 'myapp:']);
});
