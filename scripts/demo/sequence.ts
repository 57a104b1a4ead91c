/** The demonstration itself: a file goes to the device, a script uses it, and what it wrote comes back. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collectResults } from '@longarm/cli/results/collect-results';
import { followAction } from '@longarm/cli/run/follow-action';
import { createProgress } from '@longarm/cli/run/progress';
import type { Io } from '@longarm/cli/world/io';
import type { ActionEntity } from '@longarm/contract/action';
import { DemoFault } from './program.ts';
import type { Say } from './say.ts';
import type { Stage } from './stage.ts';

const SCRIPT_NAME = 'collect-basics.sh';
const LIST_NAME = 'what-to-look-at.txt';
const REPORT_NAME = 'report.txt';
const ACTION_SECONDS = 60;

/** Reads the list that was put beside it, and writes its report into the working folder. */
const SCRIPT = `#!/usr/bin/env bash
set -euo pipefail
echo "case $1: looking at $(hostname)"
: > ${REPORT_NAME}
while read -r topic; do
  echo "collecting: $topic"
  echo "== $topic" >> ${REPORT_NAME}
  case "$topic" in
    system) uname -a >> ${REPORT_NAME} ;;
    time) date -u >> ${REPORT_NAME} ;;
    user) id >> ${REPORT_NAME} ;;
    folder) ls -l >> ${REPORT_NAME} ;;
  esac
  sleep 0.3
done < ${LIST_NAME}
echo "done: $(wc -l < ${REPORT_NAME}) lines in ${REPORT_NAME}"
`;

const LIST = 'system\ntime\nuser\nfolder\n';

const upload = async (stage: Stage, fileName: string, content: string): Promise<void> => {
  const folder = join(stage.folder, 'library');
  await mkdir(folder, { recursive: true });
  const path = join(folder, fileName);
  await writeFile(path, content);
  const openFile = () => Bun.file(path).stream();
  await stage.client.uploadLibraryFile({ fileName, sizeBytes: Bun.file(path).size, openFile });
};

const COMMANDS = [
  { type: 'PutFile', params: [{ key: 'FileName', value: LIST_NAME }] },
  {
    type: 'RunScript',
    params: [
      { key: 'ScriptName', value: SCRIPT_NAME },
      { key: 'Args', value: '4711' },
    ],
  },
  { type: 'GetFile', params: [{ key: 'Path', value: REPORT_NAME }] },
];

const requireSuccess = (action: ActionEntity): void => {
  if (action.status === 'Succeeded') return;
  const why = action.commands.flatMap((command) => command.errors).join(' ');
  throw new DemoFault(`The action ended as ${action.status}. ${why}`);
};

/** `signal` ends the play with its reason. */
export const playSequence = async (
  io: Io,
  stage: Stage,
  parts: { readonly say: Say; readonly signal: AbortSignal },
): Promise<void> => {
  const { say, signal } = parts;
  await upload(stage, SCRIPT_NAME, SCRIPT);
  await upload(stage, LIST_NAME, LIST);
  await say.done(`${SCRIPT_NAME} and ${LIST_NAME} are in the library`);
  await say.title('PutFile → RunScript → GetFile');
  const request = { Commands: COMMANDS, Comment: 'demo: case 4711' };
  const { id } = await stage.client.runLiveResponse(stage.machine.id, request);
  const action = await followAction(io, stage.client, {
    actionId: id,
    progress: createProgress(io, { json: false }),
    waitSeconds: ACTION_SECONDS,
    interrupted: signal,
  });
  requireSuccess(action);
  await say.title('What came back (each file checked against the SHA-256 that the action tells)');
  const save = { client: stage.client, world: io.world, signal };
  await collectResults(io, save, { action, folder: stage.resultFolder, json: false, raw: false });
};
