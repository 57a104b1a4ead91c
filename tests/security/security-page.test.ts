/** Each claim of SECURITY.md names a test that shows it; each of them is there. */
import { expect, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dir, '../..');
const page = await readFile(join(root, 'SECURITY.md'), 'utf8');

/** Incidents of others that a row of the page has to answer to. */
const INCIDENTS = [
  'CVE-2026-5329',
  'CVE-2025-14728',
  'CVE-2023-0290',
  'CVE-2026-6948',
  'CVE-2026-6863',
  'CVE-2025-6264',
  'CVE-2025-0914',
  'CVE-2024-10526',
  'CVE-2026-8795',
  'CVE-2023-2226',
  'CVE-2023-5950',
  'Fleet #48671',
  'CVE-2024-1709',
  'CVE-2020-11651',
  'abuse of a legitimate agent',
  'TLS that checks nothing',
  'open enrolment',
  'open metrics',
  'SHA-256 once',
  'secrets derived from configuration',
  'result tampering',
];

const rows = page.split('\n').filter((line) => line.startsWith('| '));

test('each incident has its row, and the row a test or the reason for which it needs none', () => {
  for (const incident of INCIDENTS) {
    const row = rows.find((line) => line.includes(incident)) ?? '';
    expect([incident, /\.test\.ts`|no code here/.test(row)]).toEqual([incident, true]);
  }
});

test('each test that the page names is there, under its title', async () => {
  const named = [...page.matchAll(/`((?:packages|tests)\/[^`]+\.test\.ts)`(?: “([^”]+)”)?/g)];
  expect(named.length).toBeGreaterThan(30);
  for (const [, path = '', title] of named) {
    const text = await readFile(join(root, path), 'utf8').catch(() => '');
    expect([path, text.length > 0]).toEqual([path, true]);
    if (title !== undefined) expect([path, title, text.includes(title)]).toEqual([path, title, true]);
  }
});
