import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printJson, printLines } from '../display/print.ts';
import { formatSize } from '../display/quantities.ts';
import { visible } from '../display/visible.ts';
import { CliFault } from '../faults/cli-fault.ts';
import type { Io } from '../world/io.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = RemoteFlags & {
  readonly name?: string;
  readonly description?: string;
  readonly parametersDescription?: string;
  readonly override?: true;
};

const sizeOf = async (path: string): Promise<number> => {
  const found = await stat(path);
  if (!found.isFile()) throw new CliFault('local', `Expected a file at ${path}, got something else.`);
  return found.size;
};

const upload = async (io: Io, path: string, flags: Flags): Promise<void> => {
  const sizeBytes = await sizeOf(path);
  const client = await connect(io, flags);
  const file = await client.uploadLibraryFile({
    fileName: flags.name ?? basename(path),
    sizeBytes,
    openFile: () => Bun.file(path).stream(),
    override: flags.override === true,
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
    .option('--override', 'replace a file of the same name');
  remoteCommand(command, {
    examples: [
      'longarm library upload triage.sh --description "basics" --parameters-description "-days N"',
      'longarm library upload build/tool-1.2 --name tool --override',
    ],
  });
  command.action((path: string, flags: Flags) => upload(parts.io, path, flags));
};
