/** `longarm ca …`: the server's own certificate authority, told and replaced. */
import type { AuthorityDescription, AuthorityStep } from '@longarm/contract/admin/authority-operations';
import type { Command } from 'commander';
import { printFacts, printJson, printLines, printTable } from '../display/print.ts';
import { formatMoment } from '../display/quantities.ts';
import type { Io } from '../world/io.ts';
import type { LongarmParts } from '../world/parts.ts';
import { type AdminFlags, adminCommand, throughAdmin } from './data-flag.ts';

const facts = ({ current, next, signer, machines, unaware, olderEnrolTokens }: AuthorityDescription) => {
  const told = ({ sha256, notAfter }: AuthorityDescription['current'], isSigner: boolean) =>
    `${sha256}, until ${formatMoment(notAfter)}${isSigner ? ', signs what the server shows' : ''}`;
  return [
    ['current', told(current, signer === 'current')],
    ['next', next === null ? null : told(next, signer === 'next')],
    ['devices', `${machines}, of which ${unaware} do not know the ${next === null ? 'current' : 'next'} authority`],
    [
      'older enrolment tokens',
      olderEnrolTokens === 0 ? null : `${olderEnrolTokens}, which name the old authority alone`,
    ],
  ] as const;
};

const printState = async (io: Io, state: AuthorityDescription): Promise<void> => {
  await printFacts(io, facts(state));
  if (state.unaware === 0) return;
  await printLines(io, ['']);
  const rows = state.unawareMachines.map(({ id, computerDnsName, lastSeen, isOnline, tells }) => [
    { text: id },
    { text: computerDnsName },
    { text: isOnline ? 'online' : formatMoment(lastSeen) },
    { text: tells ? '' : 'has not told: not connected yet, or an older agent' },
  ]);
  const columns = [{ title: 'DEVICE', keep: true }, { title: 'NAME' }, { title: 'LAST SEEN' }, { title: '' }];
  await printTable(io, { columns, rows }, '');
  if (state.unaware > rows.length) await printLines(io, [`and ${state.unaware - rows.length} more`]);
};

const addStatus = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('status')
    .description('show the authority, and which devices do not know the next one');
  adminCommand(command, ['longarm ca status --data /var/lib/longarm']);
  command.action(async (flags: AdminFlags) => {
    const state = await throughAdmin(parts, flags, (door) => door.call('describeAuthority', {}));
    if (flags.json) return printJson(parts.io, state);
    await printState(parts.io, state);
  });
};

type StepFlags = AdminFlags & { readonly evenIfDevicesAreLost?: true; readonly back?: true };

const THEN: Readonly<Record<AuthorityStep, string>> = {
  rotate:
    'The next authority is made. Devices learn it as they are connected. Have other clients trust tls/ca.pem as it is now, which holds both; then `longarm ca switch`.',
  switch:
    'The next authority signs what the server shows; new connections see it within `certificate-seconds`. When nobody misses the old one: `longarm ca retire`.',
  'switch-back': 'The current authority signs again what the server shows.',
  retire:
    'The old authority is no more. Back up the data folder: an older backup holds no key that devices still trust.',
  abandon: 'The next authority is no more; devices forget it as they are connected.',
};

const take = async (parts: LongarmParts, step: AuthorityStep, flags: StepFlags): Promise<void> => {
  const request = { step, evenIfDevicesAreLost: flags.evenIfDevicesAreLost === true };
  const state = await throughAdmin(parts, flags, (door) => door.call('changeAuthority', request));
  if (flags.json) return printJson(parts.io, state);
  await printLines(parts.io, [THEN[step], '']);
  await printState(parts.io, state);
};

const addLossFlag = (command: Command): Command =>
  command.option('--even-if-devices-are-lost', 'also where devices do not know the next authority: they enrol anew');

const addRotate = (parent: Command, parts: LongarmParts): void => {
  const command = parent.command('rotate').description('make the next authority, and tell devices to trust it too');
  adminCommand(command, ['longarm ca rotate --data /var/lib/longarm']);
  command.action((flags: StepFlags) => take(parts, 'rotate', flags));
};

const addSwitch = (parent: Command, parts: LongarmParts): void => {
  const command = parent
    .command('switch')
    .description('have the next authority sign what the server shows')
    .option('--back', 'have the current one sign again');
  adminCommand(addLossFlag(command), [
    'longarm ca switch --data /var/lib/longarm',
    'longarm ca switch --back --data ./data',
  ]);
  command.action((flags: StepFlags) => take(parts, flags.back === true ? 'switch-back' : 'switch', flags));
};

const addRetire = (parent: Command, parts: LongarmParts): void => {
  const command = parent.command('retire').description('end the old authority: devices trust the next one alone');
  adminCommand(addLossFlag(command), ['longarm ca retire --data /var/lib/longarm']);
  command.action((flags: StepFlags) => take(parts, 'retire', flags));
};

const addAbandon = (parent: Command, parts: LongarmParts): void => {
  const command = parent.command('abandon').description('drop the next authority before it signs anything');
  adminCommand(command, ['longarm ca abandon --data /var/lib/longarm']);
  command.action((flags: StepFlags) => take(parts, 'abandon', flags));
};

export const CA_COMMANDS = [addStatus, addRotate, addSwitch, addRetire, addAbandon];
