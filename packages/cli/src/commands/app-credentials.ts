/** `longarm app secret …` and `longarm app certificate …`: several are good at once, so that one follows the other. */
import { readFile } from 'node:fs/promises';
import type { CredentialKind } from '@longarm/contract/admin/application-operations';
import { type Command, InvalidArgumentError } from 'commander';
import { readClientId } from '../arguments/client-id.ts';
import { printFacts, printJson, printLines, printTable } from '../display/print.ts';
import { formatAge, formatMoment } from '../display/quantities.ts';
import { CliFault } from '../faults/cli-fault.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

const CLIENT_ID = ['<client-id>', 'client id, as `longarm app list` shows it'] as const;
const EXAMPLE_ID = '7f9c3a52-1d5e-4a4e-9a54-6f1a5d0c2b11';

const readDays = (text: string): number => {
  const days = Number(text);
  if (!Number.isFinite(days) || days <= 0 || days > 3_650)
    throw new InvalidArgumentError('Expected a number of days above 0, up to 3650.');
  return days;
};

const addSecretAdd = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('add')
    .description('give it a further secret; those that it has stay good')
    .argument(...CLIENT_ID)
    .option('--valid-days <days>', 'days until it expires (default: never)', readDays);
  adminCommand(command, [`longarm app secret add ${EXAMPLE_ID} --valid-days 180 --data /var/lib/longarm`]);
  command.action(async (id: string, flags: AdminFlags & { readonly validDays?: number }) => {
    const request = { clientId: readClientId(id), validDays: flags.validDays ?? null };
    const added = await throughAdmin(parts, flags, (door) => door.call('addApplicationSecret', request));
    if (flags.json) return printJson(parts.io, added);
    await printFacts(parts.io, [
      ['id', added.id],
      ['client secret', added.clientSecret],
      ['expires', added.expiresDateTimeUtc === null ? 'never' : formatMoment(added.expiresDateTimeUtc)],
    ]);
    await printLines(parts.io, ['The secret is shown this once. Keep it in a file that only its user can read.']);
  });
};

const addCertificateAdd = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('add')
    .description('let it prove itself by assertions that the key of a certificate signed')
    .argument(...CLIENT_ID)
    .requiredOption('--cert <file>', 'the certificate, PEM; its key stays with the application');
  adminCommand(command, [`longarm app certificate add ${EXAMPLE_ID} --cert ./soar.pem --data /var/lib/longarm`]);
  command.action(async (id: string, flags: AdminFlags & { readonly cert: string }) => {
    const request = { clientId: readClientId(id), pem: await readFile(flags.cert, 'utf8') };
    const added = await throughAdmin(parts, flags, (door) => door.call('addApplicationCertificate', request));
    if (flags.json) return printJson(parts.io, added);
    await printFacts(parts.io, [
      ['thumbprint (SHA-256)', added.id],
      ['subject', added.subject],
      ['expires', formatMoment(added.expiresDateTimeUtc)],
    ]);
  });
};

const addList = (kind: CredentialKind) => (parent: Command, parts: LongarmParts) => {
  const command = parent
    .command('list')
    .description(`list its ${kind}s, with the last use`)
    .argument(...CLIENT_ID);
  adminCommand(command, [`longarm app ${kind} list ${EXAMPLE_ID} --data /var/lib/longarm`]);
  command.action(async (id: string, flags: AdminFlags) => {
    const clientId = readClientId(id);
    const answer = await throughAdmin(parts, flags, (door) => door.call('listApplicationCredentials', { clientId }));
    const credentials = answer.credentials.filter((credential) => credential.kind === kind);
    if (flags.json) return printJson(parts.io, credentials);
    const columns = ['ID', 'SUBJECT', 'CREATED', 'EXPIRES', 'LAST USED'].map((title) => ({ title }));
    const now = parts.io.world.now();
    const rows = credentials.map((credential) =>
      [
        credential.id,
        credential.subject ?? '',
        formatAge(credential.createdDateTimeUtc, now),
        credential.expiresDateTimeUtc === null ? 'never' : formatMoment(credential.expiresDateTimeUtc),
        credential.lastUsedDateTimeUtc === null ? 'never' : formatAge(credential.lastUsedDateTimeUtc, now),
      ].map((text) => ({ text })),
    );
    await printTable(parts.io, { columns, rows }, `There are no ${kind}s.`);
  });
};

const addRemove = (kind: CredentialKind) => (parent: Command, parts: LongarmParts) => {
  const command = parent
    .command('remove')
    .description(`end a ${kind}: it gets no tokens any more; those that it got end within the hour`)
    .argument(...CLIENT_ID)
    .argument('<id>', `the ${kind}'s, as its list shows it`);
  adminCommand(command, [`longarm app ${kind} remove ${EXAMPLE_ID} Zm9vYmFy --data /var/lib/longarm`]);
  command.action(async (client: string, id: string, flags: AdminFlags) => {
    const request = { clientId: readClientId(client), kind, id };
    const { removed } = await throughAdmin(parts, flags, (door) => door.call('removeApplicationCredential', request));
    if (!removed) throw new CliFault('refused', `There is no ${kind} ${id}.`, `See \`longarm app ${kind} list\`.`);
    if (flags.json) return printJson(parts.io, { removed });
    await printLines(parts.io, [`Removed the ${kind}.`]);
  });
};

export const addAppSecret = (parent: Command, parts: LongarmParts): void => {
  const group = parent.command('secret').description('secrets of an application: add one, move over, remove the old');
  for (const add of [addSecretAdd, addList('secret'), addRemove('secret')]) add(group, parts);
};

export const addAppCertificate = (parent: Command, parts: LongarmParts): void => {
  const group = parent.command('certificate').description('certificates of an application, in place of secrets');
  for (const add of [addCertificateAdd, addList('certificate'), addRemove('certificate')]) add(group, parts);
};
