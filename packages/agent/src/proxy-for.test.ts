/** Which proxy an address is reached by. */
import { expect, test } from 'bun:test';
import { proxyFor, proxySettings } from './proxy-for.ts';

const environment = {
  HTTPS_PROXY: 'http://secure:1',
  http_proxy: 'http://plain:2',
  NO_PROXY: '.lab.example, other:8443',
};

test.each([
  ['https://longarm.example:8443', 'http://secure:1'],
  ['wss://longarm.example/agent', 'http://secure:1'],
  ['http://longarm.example', 'http://plain:2'],
  ['ws://longarm.example', 'http://plain:2'],
  ['https://host1.lab.example', null],
  ['https://notlab.example', 'http://secure:1'],
  ['https://other:8443', null],
  ['https://other:9443', 'http://secure:1'],
])('%s', (address, proxy) => {
  expect(proxyFor(proxySettings(null, environment), address)).toBe(proxy);
});

test('what was given stands above all; without any there is none; a star means none', () => {
  expect(proxyFor(proxySettings('http://given:3', environment), 'https://host1.lab.example')).toBe('http://given:3');
  expect(proxyFor(proxySettings(null, {}), 'https://longarm.example')).toBeNull();
  expect(
    proxyFor(proxySettings(null, { HTTPS_PROXY: 'http://p', NO_PROXY: '*' }), 'https://longarm.example'),
  ).toBeNull();
});
