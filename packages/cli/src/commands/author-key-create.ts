import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { addExamples, addJsonFlag, type JsonFlag } from '../arguments/remote-command.ts';
import { readSecretFile } from '../connection/read-secret.ts';
import { printJson, printLines } from '../display/print.ts';
import { visible } from '../display/visible.ts';
import { CliFault, usageFault } from '../faults/cli-fault.ts';
import { newAuthorKey } from '../signing/author-key-file.ts';
import type { Io } from '../world/io.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = JsonFlag & {
  readonly out: string;
  readonly name: string;
  readonly passphraseFile?: string;
  readonly passphrase?: true;
};

const askTwice = async (io: Io): Promise<string> => {
  const first = io.isTty ? await io.promptSecret('New passphrase') : null;
  if (first === null || first === '')
    throw usageFault('Expected a passphrase, got none.', 'Give it at the prompt, or by --passphrase-file FILE.');
  if ((await io.promptSecret('The same again')) !== first) throw usageFault('Expected the same passphrase twice.');
  return first;
};

const passphraseFor = async (io: Io, flags: Flags): Promise<string | null> => {
  if (flags.passphraseFile !== undefined) return readSecretFile(flags.passphraseFile);
  return flags.passphrase === true ? askTwice(io) : null;
};

const create = async (io: Io, flags: Flags): Promise<void> => {
  const passphrase = await passphraseFor(io, flags);
  const { text, publicLine } = newAuthorKey(flags.name, passphrase);
  // never over another key: what it signed could not be signed anew
  await writeFile(flags.out, text, { mode: 0o600, flag: 'wx' }).catch((fault: NodeJS.ErrnoException) => {
    throw fault.code === 'EEXIST' ? new CliFault('local', `Expected no file at ${flags.out}, got one.`) : fault;
  });
  if (flags.json) return printJson(io, { file: flags.out, public: publicLine, isSealed: passphrase !== null });
  await printLines(io, [
    visible(publicLine),
    `Put this line under "authors" into the policy of each device. The key is in ${visible(flags.out)}${passphrase === null ? ', in the clear: whoever can read it can sign' : ''}.`,
  ]);
};

export const addAuthorKeyCreate = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('create')
    .description('make a key that signs library files; it stays on this machine')
    .requiredOption('--out <file>', 'where the key goes; there must be no such file')
    .requiredOption('--name <name>', 'whose key it is, for people')
    .option('--passphrase', 'ask for a passphrase that seals the key')
    .option('--passphrase-file <file>', 'seal the key with the passphrase in this file');
  addJsonFlag(command);
  addExamples(command, ['longarm author-key create --out author.key --name "Ann, incident response" --passphrase']);
  command.action((flags: Flags) => create(parts.io, flags));
};
