import { writeFile } from 'node:fs/promises';
import { describeArguments } from '@longarm/contract/signing/argument-pattern';
import type { Command } from 'commander';
import { addExamples, addJsonFlag, type JsonFlag } from '../arguments/remote-command.ts';
import { printFacts, printJson } from '../display/print.ts';
import type { Claim } from '../signing/sign-claim.ts';
import { addSigningFlags, type SigningFlags, signFile } from '../signing/signing-flags.ts';
import type { Io } from '../world/io.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = SigningFlags & JsonFlag & { readonly name?: string; readonly out?: string };

const machinesText = ({ machines }: Claim): string =>
  machines === 'any'
    ? 'any'
    : [
        ...machines.ids,
        ...machines.tags.map((tag) => `tag ${tag}`),
        ...machines.groups.map((group) => `group ${group}`),
      ].join(', ');

const sign = async (io: Io, path: string, flags: Flags): Promise<void> => {
  const { signature, claim } = await signFile(io, { path, name: flags.name }, flags);
  const out = flags.out ?? `${path}.sig`;
  await writeFile(out, `${signature}\n`);
  if (flags.json) return printJson(io, { file: out, claim });
  await printFacts(io, [
    ['signature', out],
    ['file', claim.fileName],
    ['sha256', claim.sha256],
    ['for', claim.uses.join(', ')],
    ['arguments', claim.uses.includes('RunScript') ? describeArguments(claim.arguments) : null],
    ['machines', machinesText(claim)],
    ['expires', claim.expiresAt === null ? 'never' : new Date(claim.expiresAt).toISOString()],
  ]);
};

export const addLibrarySign = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('sign')
    .description('sign a file for devices that obey signatures; no server takes part')
    .argument('<file>', 'path of the file')
    .option('--name <name>', 'name in the library (default: that of the file)')
    .option('--out <file>', 'where the signature goes (default: FILE.sig)');
  addSigningFlags(command);
  addJsonFlag(command);
  addExamples(command, [
    'longarm library sign triage.sh --key author.key --args "-days <int:1..30>" --tag laptops --expires 2027-06-30',
    'longarm library sign tool.zip --key author.key --use PutFile --any-machine',
  ]);
  command.action((path: string, flags: Flags) => sign(parts.io, path, flags));
};
