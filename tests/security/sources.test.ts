/** What no source may do, whoever reviews it: laws that the security page rests on. */
import { expect, test } from 'bun:test';
import { SyntaxKind } from 'typescript/unstable/ast';
import { isBinaryExpression, isIdentifier, isPropertyAccessExpression } from 'typescript/unstable/ast/is';
import { isTest, ROOT, readSources, walk } from '../arch/read-sources.ts';

const sources = (await readSources(ROOT)).filter(
  (source) => /^packages\/[^/]+\/src\//.test(source.path) && !isTest(source),
);
const holding = (pattern: RegExp, where: RegExp): readonly string[] =>
  sources.filter(({ path, text }) => where.test(path) && pattern.test(text)).map(({ path }) => path);

test('secrets are compared in one place, in constant time', () => {
  expect(holding(/timingSafeEqual/, /./)).toEqual(['packages/server/src/audit/same-secret.ts']);
  const SECRET = /(?:secret|seal|passphrase|password|verifier)(?:Sha256|_sha256|Hash)?$|signature$/i;
  const EQUALITIES: readonly SyntaxKind[] = [
    SyntaxKind.EqualsEqualsEqualsToken,
    SyntaxKind.ExclamationEqualsEqualsToken,
    SyntaxKind.EqualsEqualsToken,
    SyntaxKind.ExclamationEqualsToken,
  ];
  const found: string[] = [];
  for (const source of sources.filter(({ path }) => path.startsWith('packages/server/'))) {
    walk(source.root, (node) => {
      if (!isBinaryExpression(node) || !EQUALITIES.includes(node.operatorToken.kind)) return;
      const sides = [node.left, node.right];
      const isNamed = sides.every((side) => isIdentifier(side) || isPropertyAccessExpression(side));
      const texts = sides.map((side) => side.getText());
      if (isNamed && !texts.includes('undefined') && texts.some((text) => SECRET.test(text)))
        found.push(`${source.path}:${source.lineAt(node.getStart())}: ${texts.join(' === ')}`);
    });
  }
  expect(found).toEqual([]);
});

test('the server starts no process but gateways of its own, and the agent does in its rooms for that alone', () => {
  const STARTS = /Bun\.spawn|Bun\.\$|from 'bun';.*\$|node:child_process/;
  const starters = holding(STARTS, /^packages\/(?:server|client|contract)\//);
  expect(starters).toEqual(['packages/server/src/wiring/gateways.ts']);
  const [started, ...others] = sources
    .filter(({ path }) => starters.includes(path))
    .flatMap(({ text }) => [...text.matchAll(/Bun\.spawn\(([^\n]*), \{$/gm)].map(([, command]) => command));
  expect([started, others]).toEqual(["[...longarm, 'server', '--gateway-process']", []]);
  const rooms = new Set(holding(STARTS, /^packages\/agent\//).map((path) => path.split('/')[3]));
  expect([...rooms].toSorted()).toEqual(['install', 'platform', 'process']);
});

test('nothing builds code, a template or a page out of text', () => {
  expect(holding(/\beval\(|new Function\(|node:vm|innerHTML|dangerouslySetInnerHTML/, /./)).toEqual([]);
});

test('certificates are not checked only where an authority is fetched, to be compared with its fingerprint', () => {
  expect(holding(/rejectUnauthorized: false/, /./)).toEqual([
    'packages/agent/src/identity/server-trust.ts',
    'packages/client/src/fetch-pinned-ca.ts',
    'packages/fleet/src/identity/server-trust.ts',
  ]);
});
