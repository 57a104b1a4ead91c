import type { Client } from '@longarm/client/create-client';
import { saveBytes } from '@longarm/client/save-bytes';
import type { Command } from 'commander';
import { type RemoteFlags, remoteCommand } from '../arguments/remote-command.ts';
import { connect } from '../connection/connect.ts';
import { printJson } from '../display/print.ts';
import { CliFault } from '../faults/cli-fault.ts';
import { requireFree } from '../results/free-path.ts';
import { printSaved } from '../results/print-saved.ts';
import { safeFileName } from '../results/safe-file-name.ts';
import type { Io } from '../world/io.ts';
import type { LongarmParts } from '../world/parts.ts';

type Flags = RemoteFlags & { readonly out?: string };

const hashOf = async (client: Client, fileName: string): Promise<string> => {
  for await (const file of client.listLibraryFiles()) if (file.fileName === fileName) return file.sha256;
  throw new CliFault('refused', `There is no library file ${fileName}.`, 'See `longarm library`.');
};

const download = async (io: Io, fileName: string, flags: Flags): Promise<void> => {
  const path = flags.out ?? safeFileName(fileName, 'library-file');
  await requireFree(path);
  const client = await connect(io, flags);
  const saved = await saveBytes({
    expectedSha256: await hashOf(client, fileName),
    bytes: client.openLibraryFile(fileName, io.interruption()),
    path,
    temporaryPath: `${path}.${io.world.randomId()}.part`,
  });
  await (flags.json ? printJson(io, saved) : printSaved(io, saved));
};

export const addLibraryDownload = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('download')
    .description('download a library file; its SHA-256 is checked')
    .argument('<name>', 'name in the library')
    .option('--out <file>', 'where to (default: its name, here)');
  remoteCommand(command, {
    examples: ['longarm library download triage.sh', 'longarm library download t --out /tmp/t'],
  });
  command.action((name: string, flags: Flags) => download(parts.io, name, flags));
};
