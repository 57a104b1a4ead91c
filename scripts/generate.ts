// Writes the committed files that are made from the code; with --check it only says which of them have drifted.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ERROR_CODES, ERRORS } from '@longarm/contract/errors';
import { DEFAULT_PROFILE, PROFILES } from '@longarm/contract/limits';
import { openApiDocument } from '@longarm/contract/openapi';
import { permissionReference } from './generate/permission-reference.ts';

const root = join(import.meta.dir, '..');

const openApi = (): string => {
  const { runAcceptedStatus } = PROFILES[DEFAULT_PROFILE];
  return `${JSON.stringify(openApiDocument({ serverUrl: 'https://longarm.example', runAcceptedStatus }), null, 2)}\n`;
};

const errorReference = (): string => {
  const rows = ERROR_CODES.map((code) => {
    const { status, retryable, meaning } = ERRORS[code];
    return `| \`${code}\` | ${status} | ${meaning} | ${retryable ? 'yes' : 'no'} |`;
  });
  return `# Errors of the REST API

Made from \`packages/contract/src/errors.ts\` by \`scripts/generate.ts\`.

Every answer that is not a success has the body \`{"error":{"code","message","target"}}\`. The message is a sentence
for people and may change; the code stays. The target is the id of the request in the server's log.

| code | status | meaning | the same call may succeed later |
|---|---|---|---|
${rows.join('\n')}
`;
};

/** Path from the root of the repository → what has to be in it. */
const GENERATED: Readonly<Record<string, () => string>> = {
  'docs/api/openapi.json': openApi,
  'docs/api/errors.md': errorReference,
  'docs/permissions.md': permissionReference,
};

const isCheck = process.argv.includes('--check');
let drifted = 0;
for (const [path, make] of Object.entries(GENERATED)) {
  const file = join(root, path);
  const content = make();
  if (existsSync(file) && (await Bun.file(file).text()) === content) continue;
  if (isCheck) {
    drifted++;
    console.error(
      `${path}: expected what the code makes of it, got something else. Run scripts/generate.ts and commit it.`,
    );
  } else {
    await mkdir(dirname(file), { recursive: true });
    await Bun.write(file, content);
    console.log(`wrote ${path}`);
  }
}
process.exitCode = drifted === 0 ? 0 : 1;
