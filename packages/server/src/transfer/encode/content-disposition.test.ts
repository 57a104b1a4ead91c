import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { attachmentHeader } from './content-disposition.ts';

test.each([
  ['report-1_a.b~c.zip', 'report-1_a.b~c.zip'],
  ['OfficeClickToRun.dmp.zip.gz', 'OfficeClickToRun.dmp.zip.gz'],
  ['C:\\windows\\TEMP\\x.dmp', 'x.dmp'],
  ['/var/log/a b.txt', 'a%20b.txt'],
  ['a/b\\c', 'c'],
  ['a\\b/c', 'c'],
  ['"a";b=c,(d)', '%22a%22%3Bb%3Dc%2C%28d%29'],
  ["it's!*+100%", 'it%27s%21%2A%2B100%25'],
  ['Bericht für Ägypten.txt', 'Bericht%20f%C3%BCr%20%C3%84gypten.txt'],
  ['日本.txt', '%E6%97%A5%E6%9C%AC.txt'],
  ['a\r\nSet-Cookie: b', 'a%0D%0ASet-Cookie%3A%20b'],
  ['half \ud800 pair', 'half%20%EF%BF%BD%20pair'],
  ['', 'file'],
  ['/tmp/', 'file'],
  ['..', 'file'],
])('%p is offered as %p', (name, offered) => {
  expect(attachmentHeader(name)).toBe(`attachment; filename=${offered}`);
});

test('a name as long as a path may be stays a short header', () => {
  expect(attachmentHeader(`/${'日'.repeat(30_000)}`).length).toBeLessThan(4_000);
});

test('any name makes a header that a response takes, and that its clients read back (semantics 18)', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (name) => {
      const value = attachmentHeader(name);
      expect(new Response('', { headers: { 'Content-Disposition': value } }).headers.get('content-disposition')).toBe(
        value,
      );
      const read = decodeURIComponent(/filename=(.+)/.exec(value)?.[1] ?? '');
      const last = name.toWellFormed().split(/[/\\]/).at(-1) ?? '';
      expect(read).toBe(['', '.', '..'].includes(last) ? 'file' : last);
    }),
  );
});
