import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { signatureLines } from '@longarm/contract/signing/author-signature';
import type { Command } from 'commander';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printJson, printLines } from '../display/print.ts';
import { formatSize } from '../display/quantities.ts';
import { visible } from '../display/visible.ts';
import { CliFault, usageFault } from '../faults/cli-fault.ts';
import { addSigningFlags, isAboutSigning, type SigningFlags, signFile } from '../signing/signing-flags.ts';
import type { Io } from '../world/io.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = RemoteFlags &
  SigningFlags & {
    readonly name?: string;
    readonly description?: string;
    readonly parametersDescription?: string;
    readonly override?: true;
    readonly approval?: boolean;
    readonly signature?: readonly string[];
  };

const sizeOf = async (path: string): Promise<number> => {
  const found = await stat(path);
  if (!found.isFile()) throw new CliFault('local', `Expected a file at ${path}, got something else.`);
  return found.size;
};

/** Those given as files, and the one that is made now where a key is given. */
const signaturesFor = async (io: Io, path: string, flags: Flags): Promise<readonly string[]> => {
  const texts = await Promise.all((flags.signature ?? []).map((file) => readFile(file, 'utf8')));
  const given = texts.flatMap(signatureLines);
  if (flags.key === undefined) {
    if (isAboutSigning(flags)) throw usageFault('Expected --key FILE with what a signature shall allow, got none.');
    return given;
  }
  return [...given, (await signFile(io, { path, name: flags.name }, flags)).signature];
};

const upload = async (io: Io, path: string, flags: Flags): Promise<void> => {
  const sizeBytes = await sizeOf(path);
  const signatures = await signaturesFor(io, path, flags);
  const client = await connect(io, flags);
  const file = await client.uploadLibraryFile({
    fileName: flags.name ?? basename(path),
    sizeBytes,
    openFile: () => Bun.file(path).stream(),
    override: flags.override === true,
    signatures,
    ...(flags.approval === undefined ? {} : { requiresApproval: flags.approval }),
    ...(flags.description === undefined ? {} : { description: flags.description }),
    ...(flags.parametersDescription === undefined ? {} : { parametersDescription: flags.parametersDescription }),
  });
  if (flags.json) return printJson(io, file);
  await printLines(io, [
    `Uploaded ${visible(file.fileName)}, ${formatSize(file.sizeBytes)}, sha256 ${visible(file.sha256)}`,
  ]);
};

export const addLibraryUpload = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('upload')
    .description('upload a file or a script')
    .argument('<file>', 'path of the file')
    .option('--name <name>', 'name in the library (default: that of the file)')
    .option('--description <text>', 'what it is')
    .option('--parameters-description <text>', 'what parameters it takes')
    .option('--override', 'replace a file of the same name')
    .option('--approval', 'actions that name it wait for a second person (default: as it is, or not)')
    .option('--no-approval', 'they do not')
    .option('--signature <file...>', 'signatures that `longarm library sign` made; or sign now, with --key');
  addSigningFlags(command);
  remoteCommand(command, {
    examples: [
      'longarm library upload triage.sh --description "basics" --parameters-description "-days N"',
      'longarm library upload build/tool-1.2 --name tool --override',
      'longarm library upload triage.sh --signature triage.sh.sig',
      'longarm library upload triage.sh --key author.key --args "-days <int:1..30>" --any-machine',
    ],
  });
  command.action((path: string, flags: Flags) => upload(parts.io, path, flags));
};
