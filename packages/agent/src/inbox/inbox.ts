/** What the server asks for: verified, compared with the journal, taken on once or refused, and cancelled. */
import type { ActionId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import { COMMAND_ERROR_CHARACTERS } from '@longarm/contract/limits';
import type { EnvelopePayload } from '@longarm/contract/wire/envelope';
import type { FrameToAgent } from '@longarm/contract/wire/to-agent';
import type { Fact } from '@longarm/contract/wire/to-server';
import type { Identity } from '../identity/identity-file.ts';
import type { ActionRecord } from '../journal/entries.ts';
import type { Journal } from '../journal/journal.ts';
import { faultText, requireSystemFault } from '../platform/fault.ts';
import type { Log } from '../platform/log.ts';
import type { OfferMemo } from './offer-memo.ts';
import { readEnvelope } from './read-envelope.ts';
import { refusalOf } from './refusal-of.ts';

type Frame<Type extends FrameToAgent['type']> = Extract<FrameToAgent, { type: Type }>;

export type InboxIo = {
  readonly journal: Pick<Journal, 'action' | 'actions' | 'owed' | 'lastCounter' | 'report' | 'take' | 'lack' | 'note'>;
  readonly identity: Pick<Identity, 'machineId' | 'tenantId' | 'envelopeKey'>;
  readonly bootId: string;
  /** Server time. */
  readonly now: () => EpochMs;
  readonly log: Log;
  readonly memo: Pick<OfferMemo, 'keep'>;
  /** An action that is taken on now is begun at once. */
  readonly isIdle: () => boolean;
  /** An action was taken on and waits for its turn. */
  readonly begin: (actionId: ActionId) => void;
  /** True when the action runs: it is being stopped and its end is told from there. */
  readonly cancelRun: (actionId: ActionId) => boolean;
};

export type Inbox = {
  readonly offer: (frame: Frame<'offer'>) => void;
  readonly resume: (frame: Frame<'resume'>) => void;
  readonly cancel: (frame: Frame<'cancel'>) => void;
};

const endedFact = (io: InboxIo, actionId: ActionId, how: Extract<Fact, { kind: 'action-ended' }>['how']) =>
  ({ fact: { kind: 'action-ended', actionId, at: io.now(), how } }) as const;

const isOwing = (io: InboxIo, actionId: ActionId): boolean =>
  io.journal.owed().some(({ fact }) => fact.actionId === actionId);

/** The server asks again for what is here: it has not heard, or forgot. What is owed goes out by itself. */
const tellAgain = (io: InboxIo, action: ActionRecord) => {
  const { actionId, ended } = action;
  if (isOwing(io, actionId)) return;
  if (ended === null) io.journal.report({ fact: { kind: 'accepted', actionId, at: io.now() } });
  else io.journal.report(endedFact(io, actionId, ended === 'refused' ? 'unknown' : ended));
};

const refuse = (io: InboxIo, actionId: ActionId, reason: string) => {
  io.log('warn', 'refused an offer', { actionId, reason });
  const bounded = reason.slice(0, COMMAND_ERROR_CHARACTERS);
  io.journal.report({ fact: { kind: 'refused', actionId, at: io.now(), reason: bounded } });
};

const NO_JOURNAL =
  'this device has no room to write down what becomes of an action: free some of its disk, and request it again';

/** One record where both are true at once: nobody waits for a second sync. */
const firstFacts = (io: InboxIo, actionId: ActionId): readonly Fact[] => {
  const at = io.now();
  const accepted = { kind: 'accepted', actionId, at } as const;
  return io.isIdle() ? [accepted, { kind: 'command-started', actionId, index: 0, at }] : [accepted];
};

/** Null when it is in the journal; else why the disk does not take it. */
const takeOn = (io: InboxIo, payload: EnvelopePayload, ticket: string): string | null => {
  const lack = io.journal.lack();
  if (lack !== null) return lack;
  try {
    io.journal.take({ payload, ticket, bootId: io.bootId }, ...firstFacts(io, payload.actionId));
    return null;
  } catch (fault) {
    requireSystemFault(fault);
    return faultText(fault);
  }
};

const onOffer = (io: InboxIo, { actionId, envelope, ticket, ...extras }: Frame<'offer'>) => {
  // the id before everything else: an offer that is made again is no new one, whatever its counter
  const known = io.journal.action(actionId);
  if (known !== null) {
    io.journal.note({ kind: 'ticket', actionId, ticket });
    return tellAgain(io, known);
  }
  const read = readEnvelope(envelope, io.identity.envelopeKey);
  if (!read.ok) return refuse(io, actionId, read.fault);
  const { payload } = read;
  if (payload.actionId !== actionId) return refuse(io, actionId, 'the envelope is of another action than the offer');
  const reason = refusalOf(payload, {
    ...io.identity,
    now: io.now(),
    lastCounter: io.journal.lastCounter(),
    waiting: io.journal.actions().filter(({ ended }) => ended === null).length,
  });
  if (reason !== null) return refuse(io, actionId, reason);
  const lack = takeOn(io, payload, ticket);
  if (lack !== null) return refuse(io, actionId, `${NO_JOURNAL}: ${lack}`);
  io.log('info', 'accepted an action', { actionId, commands: payload.commands.length });
  io.memo.keep(actionId, extras);
  io.begin(actionId);
};

const onCancel = (io: InboxIo, { actionId, reason, ticket }: Frame<'cancel'>) => {
  const known = io.journal.action(actionId);
  if (known === null) {
    // a tombstone: should its offer come later, it is never begun
    io.journal.report(endedFact(io, actionId, 'unknown'));
    return;
  }
  io.journal.note({ kind: 'ticket', actionId, ticket });
  if (known.ended !== null) return tellAgain(io, known);
  if (known.isCancelled) return;
  io.log('info', 'heard a cancel', { actionId, reason });
  io.journal.report({ fact: { kind: 'cancel-heard', actionId, at: io.now() } });
  if (!io.cancelRun(actionId)) io.journal.report(endedFact(io, actionId, 'cancelled'));
};

export const inbox = (io: InboxIo): Inbox => ({
  offer: (frame) => onOffer(io, frame),
  resume: ({ actionId, ticket }) => io.journal.note({ kind: 'ticket', actionId, ticket }),
  cancel: (frame) => onCancel(io, frame),
});
