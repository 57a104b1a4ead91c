/** The `longarm` command line, put together: one line per command, in the order in which a newcomer needs them. */
import { VERSION } from '@longarm/contract/version';
import { Command } from 'commander';
import { addActionsGet } from './commands/actions-get.ts';
import { addActionsList } from './commands/actions-list.ts';
import { addAppCreate } from './commands/app-create.ts';
import { addAppCertificate, addAppSecret } from './commands/app-credentials.ts';
import { addAppDelete } from './commands/app-delete.ts';
import { addAppList } from './commands/app-list.ts';
import { addAuditExport } from './commands/audit-export.ts';
import { addAuditList } from './commands/audit-list.ts';
import { addAuditVerify } from './commands/audit-verify.ts';
import { addAuthorKeyCreate } from './commands/author-key-create.ts';
import { addBench } from './commands/bench.ts';
import { CA_COMMANDS } from './commands/ca.ts';
import { addCancel } from './commands/cancel.ts';
import { addApprove, addDeny } from './commands/decide.ts';
import { addEnrolTokenCreate } from './commands/enrol-token-create.ts';
import { addEnrolTokenList } from './commands/enrol-token-list.ts';
import { addEnrolTokenRevoke } from './commands/enrol-token-revoke.ts';
import { addGroupChange } from './commands/group-change.ts';
import { addGroupCreate } from './commands/group-create.ts';
import { addGroupDelete } from './commands/group-delete.ts';
import { addGroupList } from './commands/group-list.ts';
import { ISSUER_COMMANDS } from './commands/issuer.ts';
import { addLibraryDelete } from './commands/library-delete.ts';
import { addLibraryDownload } from './commands/library-download.ts';
import { addLibraryList } from './commands/library-list.ts';
import { addLibrarySign } from './commands/library-sign.ts';
import { addLibraryUpload } from './commands/library-upload.ts';
import { LOCKDOWN_COMMANDS } from './commands/lockdown.ts';
import { addLogin } from './commands/login.ts';
import { addMachinesApprove, addMachinesReject, addMachinesRevoke } from './commands/machines-decide.ts';
import { addMachinesGet } from './commands/machines-get.ts';
import { addMachinesGroup } from './commands/machines-group.ts';
import { addMachinesList } from './commands/machines-list.ts';
import { addMachinesRotateKey } from './commands/machines-rotate-key.ts';
import { addMachinesTag } from './commands/machines-tag.ts';
import { addOutput } from './commands/output.ts';
import { addRestored } from './commands/restored.ts';
import { addResult } from './commands/result.ts';
import { addRun } from './commands/run.ts';
import { addServer } from './commands/server.ts';
import { USER_COMMANDS } from './commands/user.ts';
import { exitCodesHelp } from './faults/exit-codes.ts';
import type { LongarmParts } from './world/parts.ts';

type AddCommand = (parent: Command, parts: LongarmParts) => void;

const GROUPS: readonly { readonly name: string; readonly description: string; readonly add: readonly AddCommand[] }[] =
  [
    {
      name: 'app',
      description: 'applications that may ask for tokens (on the server)',
      add: [addAppCreate, addAppList, addAppDelete, addAppSecret, addAppCertificate],
    },
    {
      name: 'user',
      description: 'people who sign in here by themselves (on the server)',
      add: USER_COMMANDS,
    },
    {
      name: 'issuer',
      description: 'others whose tokens are good here: Entra ID, Keycloak … (on the server)',
      add: ISSUER_COMMANDS,
    },
    {
      name: 'enrol-token',
      description: 'tokens by which devices enrol (on the server)',
      add: [addEnrolTokenCreate, addEnrolTokenList, addEnrolTokenRevoke],
    },
    {
      name: 'group',
      description: 'device groups: who reaches which machines, and what goes for them (on the server)',
      add: [addGroupCreate, addGroupList, addGroupChange, addGroupDelete],
    },
    {
      name: 'machines',
      description: 'list, show, tag and group machines, and decide which may work',
      add: [
        addMachinesList,
        addMachinesGet,
        addMachinesTag,
        addMachinesGroup,
        addMachinesApprove,
        addMachinesReject,
        addMachinesRevoke,
        addMachinesRotateKey,
      ],
    },
    {
      name: 'library',
      description: 'scripts and files for machines',
      add: [addLibraryList, addLibraryUpload, addLibrarySign, addLibraryDownload, addLibraryDelete],
    },
    { name: 'author-key', description: 'keys that sign library files', add: [addAuthorKeyCreate] },
    {
      name: 'lockdown',
      description: 'stop everything, until it is lifted (on the server)',
      add: LOCKDOWN_COMMANDS,
    },
    {
      name: 'ca',
      description: "the server's own certificate authority, and its replacement (on the server)",
      add: CA_COMMANDS,
    },
    {
      name: 'audit',
      description: 'who did what, and the proof that nothing of it was changed (on the server)',
      add: [addAuditVerify, addAuditList, addAuditExport],
    },
    { name: 'actions', description: 'list and show what was requested', add: [addActionsList, addActionsGet] },
  ];

const EXAMPLES = `
Examples:
  $ longarm server --data ./data
  $ longarm login --server https://127.0.0.1:8443 --client-id 7f9c… --ca ./data/tls/ca.pem
  $ longarm machines --online
  $ longarm run host1 --script triage.sh --comment "case 4711" --wait
`;

const newProgram = ({ io }: LongarmParts): Command =>
  new Command('longarm')
    .description('Open, self-hosted live response: run commands on any device you own, and get back what happened.')
    .version(VERSION, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('Try again with --help.')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => (Number.isFinite(io.columns) ? io.columns : 100),
      getErrHelpWidth: () => (Number.isFinite(io.columns) ? io.columns : 100),
    })
    .addHelpText('after', EXAMPLES)
    .addHelpText('after', exitCodesHelp());

/** Made anew for each run: options of `run` collect what was given. */
export const longarmProgram = (parts: LongarmParts): Command => {
  const program = newProgram(parts);
  addServer(program, parts);
  addLogin(program, parts);
  addRun(program, parts);
  addOutput(program, parts);
  addResult(program, parts);
  addCancel(program, parts);
  addApprove(program, parts);
  addDeny(program, parts);
  addRestored(program, parts);
  for (const group of GROUPS) {
    const parent = program.command(group.name).description(group.description);
    for (const add of group.add) add(parent, parts);
  }
  addBench(program, parts);
  return program;
};
