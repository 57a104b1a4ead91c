import { expect, test } from 'bun:test';
import { installerLines } from './installer-lines.ts';

const token = 'longarm1.tokenid1.secret.none';
const lines = (serverUrl: string, caPem: string | null) => installerLines({ serverUrl, caPem, token });

test('with an authority of its own nothing is trusted before that was compared', () => {
  const { posix, windows } = lines('https://lr.example:8443', 'pem');
  const sha256 = new Bun.CryptoHasher('sha256').update('pem').digest('hex');
  for (const line of [posix, windows]) {
    const [insecure, compared, rest] = [
      line.search(/ -fsSk /),
      line.indexOf(sha256),
      line.indexOf('https://lr.example:8443/install.'),
    ];
    expect([insecure, compared - insecure, rest - compared].every((distance) => distance > 0)).toBe(true);
    // once, and never again
    expect(line.slice(compared)).not.toContain('-fsSk');
    expect(line.slice(compared)).toContain('--cacert');
  }
});

test('by an authority that the system trusts, or without TLS, and then it says so', () => {
  const { posix, windows } = lines('https://lr.example', null);
  expect(posix).toEndWith(`sh install.sh https://lr.example -)`);
  for (const line of [posix, windows]) expect(line).not.toMatch(/-fsSk|cacert|--insecure/);
  const open = lines('http://10.0.0.1:8080', null);
  expect(open.posix).toEndWith('sh install.sh http://10.0.0.1:8080 - --insecure)');
  expect(open.windows).toContain(`'${token}' '--insecure' }`);
});

test('the token is no argument of a program', () => {
  expect(lines('https://a', null).posix).toContain(`echo '${token}' | `);
});
