import { expect, test } from 'bun:test';
import { parseServerUrl } from './server-url.ts';

test.each([
  ['https://longarm.example', 'https://longarm.example'],
  ['https://longarm.example:8443/', 'https://longarm.example:8443'],
  ['https://longarm.example/behind/a/proxy/', 'https://longarm.example/behind/a/proxy'],
  ['http://localhost:8080', 'http://localhost:8080'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['http://127.9.9.9', 'http://127.9.9.9'],
  ['http://[::1]:8080', 'http://[::1]:8080'],
])('%s is an address', (text, expected) => {
  expect(parseServerUrl(text, false)).toBe(expected);
});

test.each(['longarm.example', 'ftp://longarm.example', 'https://a.example/?x=1', 'https://a.example/#x', ''])(
  '%p is none',
  (text) => {
    expect(() => parseServerUrl(text, true)).toThrow("expected the server's address");
  },
);

test('secrets do not belong in an address, and are not repeated', () => {
  expect(() => parseServerUrl('https://user:geheim@a.example', false)).toThrow(/^(?!.*geheim).*without a user name/);
});

test.each(['http://10.0.0.1', 'http://longarm.example', 'http://127.0.0.1.example', 'http://localhost.example'])(
  '%s is in the clear, and only taken when that is accepted',
  (text) => {
    expect(() => parseServerUrl(text, false)).toThrow('--insecure');
    expect(parseServerUrl(text, true)).toBe(text);
  },
);
