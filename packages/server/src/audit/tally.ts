/**
 * What happens too often to be an entry each: refusals and sign-ins. The same thing by the same one from the same
 * address within a minute is counted, and becomes one entry; a flood costs neither memory nor commits. Strangers and
 * those who are known have places of their own, so that nobody hides behind a flood that needs no credentials.
 */
import type { TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { NewAuditEntry, Origin } from './ports.ts';

/** Things told apart within one minute, of strangers and of known callers each; what goes beyond is counted together. */
export const TALLY_PLACES = 100;
/** Characters kept of a text that somebody else chose. */
const TEXT_CHARACTERS = 200;
/** Who acts where nobody has proved to be anybody. */
const STRANGER = 'stranger';

export type Happening = {
  readonly event: 'request.refused' | 'request.failed' | 'device.refused' | 'sign-in.issued' | 'sign-in.refused';
  /** Who proved to be who; null for a stranger. */
  readonly by: { readonly tenantId: TenantId | null; readonly name: string } | null;
  /** To what: an endpoint, a grant. One of a closed set. */
  readonly subject: string;
  /** How it was answered: an error code. */
  readonly code: string;
  readonly origin: Origin;
  /** Whom or what it was about, as it was claimed; of the last one. */
  readonly about?: string;
};

type Row = Happening & {
  readonly count: number;
  readonly first: Origin;
  readonly since: EpochMs;
  readonly at: EpochMs;
};

export type AuditTally = {
  readonly count: (happening: Happening) => void;
  /** What was counted since the last time, as entries; strangers are of `tenantId`. */
  readonly take: (tenantId: TenantId) => readonly NewAuditEntry[];
};

const cut = (text: string): string => text.slice(0, TEXT_CHARACTERS);

const boundedTexts = (happening: Happening): Happening => ({
  ...happening,
  subject: cut(happening.subject),
  by: happening.by === null ? null : { ...happening.by, name: cut(happening.by.name) },
  origin: { ...happening.origin, address: happening.origin.address === null ? null : cut(happening.origin.address) },
  ...(happening.about === undefined ? {} : { about: cut(happening.about) }),
});

const keyOf = ({ event, by, subject, code, origin }: Happening): string =>
  JSON.stringify([event, by?.tenantId, by?.name, subject, code, origin.address]);

/** Where what has no place of its own is counted. */
const amongOthers = (happening: Happening): Happening => ({
  event: happening.event,
  by: happening.by === null ? null : { tenantId: happening.by.tenantId, name: 'others' },
  subject: 'others',
  code: 'others',
  origin: { ...happening.origin, address: null },
});

const entryOf = (row: Row, tenantId: TenantId): NewAuditEntry => ({
  tenantId: row.by?.tenantId ?? tenantId,
  at: row.at,
  actor: row.by?.name ?? STRANGER,
  event: row.event,
  subject: row.subject,
  origin: row.origin,
  detail: {
    code: row.code,
    count: row.count,
    firstAt: row.since,
    firstRequestId: row.first.requestId,
    ...(row.about === undefined ? {} : { about: row.about }),
  },
});

export const auditTally = (now: () => EpochMs): AuditTally => {
  const places = { strangers: new Map<string, Row>(), known: new Map<string, Row>() };
  return {
    count: (told) => {
      const rows = told.by === null ? places.strangers : places.known;
      const bounded = boundedTexts(told);
      const ownKey = keyOf(bounded);
      const hasPlace = rows.has(ownKey) || rows.size < TALLY_PLACES;
      const happening = hasPlace ? bounded : amongOthers(bounded);
      const key = hasPlace ? ownKey : keyOf(happening);
      const at = now();
      const { count = 0, first = happening.origin, since = at } = rows.get(key) ?? {};
      rows.set(key, { ...happening, count: count + 1, first, since, at });
    },
    take: (tenantId) => {
      const rows = [...places.strangers.values(), ...places.known.values()];
      places.strangers.clear();
      places.known.clear();
      return rows.map((row) => entryOf(row, tenantId));
    },
  };
};
