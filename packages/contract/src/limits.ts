/**
 * Every number that bounds something, unit last. What a caller may configure is a `LimitName`, set by
 * `--profile` and `--limit name=value`; fractions are allowed, since tests shorten hours to seconds.
 */

export const LIMIT_NAMES = [
  'runs-per-minute',
  'reads-per-minute',
  'reads-per-hour',
  'sessions',
  'queue-hours',
  'script-seconds',
  'transfer-seconds',
  'grace-minutes',
  'link-minutes',
  'library-mib',
  'get-mib',
  'output-mib',
  'queued-per-machine',
  'retain-days',
  'lease-seconds',
  'heartbeat-seconds',
  'certificate-seconds',
  'connects-per-second',
  'enrols-per-second',
  'offers-per-second',
  'frames-per-second',
  'control-kib-per-second',
  'control-mib-per-day',
  'unproven-sockets',
  'unproven-per-address',
  'handshake-seconds',
  'uploads-at-once',
] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];
export type Limits = Readonly<Record<LimitName, number>>;

/** What each limit bounds, for `--help`, the reference page and errors. */
export const LIMIT_MEANINGS: Readonly<Record<LimitName, string>> = {
  'runs-per-minute': 'runliveresponse calls a minute, per caller',
  'reads-per-minute': 'calls a minute to each other endpoint, per caller',
  'reads-per-hour': 'calls an hour to each other endpoint, per caller',
  sessions: 'live response sessions running at once, per tenant',
  'queue-hours': 'hours that an action may wait for its device',
  'script-seconds': 'seconds that one RunScript may take',
  'transfer-seconds': 'seconds that one PutFile or GetFile may take',
  'grace-minutes': 'minutes added to the run deadline for a lost connection',
  'link-minutes': 'minutes that a result link is valid',
  'library-mib': 'MiB of one library file',
  'get-mib': 'MiB of one collected file',
  'output-mib': 'MiB kept of each of stdout and stderr of a script',
  'queued-per-machine': 'actions of one machine that may be unfinished at once (1: a busy machine refuses)',
  'retain-days': 'days that results are kept',
  'lease-seconds': 'seconds after which an unanswered offer is made again',
  'heartbeat-seconds': 'seconds between two heartbeats of a device',
  'certificate-seconds': 'seconds between two looks at the certificate that is served',
  'connects-per-second': 'handshakes of devices begun a second; the others wait, or are told when to come back',
  'enrols-per-second': 'enrolments a second; the others wait, or are told when to come back',
  'offers-per-second': 'actions offered to devices a second; the others follow',
  'frames-per-second': 'frames a second of one device, ten seconds’ worth at once',
  'control-kib-per-second': 'KiB of frames a second of one device, ten seconds’ worth at once',
  'control-mib-per-day': 'MiB of frames a day of one device',
  'unproven-sockets': 'sockets that have not proven which device they are, in all',
  'unproven-per-address': 'sockets of one address that do not prove themselves within the time for a handshake',
  'handshake-seconds': 'seconds that a device may take to prove itself',
  'uploads-at-once': 'pieces of results that one device may send at the same time',
};

export const PROFILE_NAMES = ['2021-06', '2025-12'] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

export type Profile = {
  readonly limits: Limits;
  /** Status of an accepted runliveresponse: older editions of the public page say 200, newer ones 201. */
  readonly runAcceptedStatus: 200 | 201;
};

const EDITION_2021_06: Limits = {
  'runs-per-minute': 10,
  'reads-per-minute': 100,
  'reads-per-hour': 1500,
  sessions: 25,
  'queue-hours': 72,
  'script-seconds': 600,
  'transfer-seconds': 1800,
  'grace-minutes': 15,
  'link-minutes': 30,
  'library-mib': 20,
  'get-mib': 3072,
  'output-mib': 100,
  'queued-per-machine': 1,
  'retain-days': 30,
  'lease-seconds': 30,
  'heartbeat-seconds': 30,
  'certificate-seconds': 10,
  'connects-per-second': 1_000,
  'enrols-per-second': 500,
  'offers-per-second': 2_000,
  'frames-per-second': 500,
  'control-kib-per-second': 1_024,
  'control-mib-per-day': 256,
  'unproven-sockets': 10_000,
  'unproven-per-address': 4_000,
  'handshake-seconds': 30,
  'uploads-at-once': 8,
};

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  '2021-06': { limits: EDITION_2021_06, runAcceptedStatus: 200 },
  '2025-12': { limits: { ...EDITION_2021_06, sessions: 50, 'queue-hours': 2 }, runAcceptedStatus: 201 },
};

export const DEFAULT_PROFILE: ProfileName = '2021-06';

/** A request body other than an upload; past it 400 InvalidRequestBody. */
export const JSON_BODY_BYTES = 1_048_576;
/** Token requests are small forms. */
export const TOKEN_BODY_BYTES = 16_384;
/** Commands in one action. */
export const COMMANDS_PER_ACTION = 100;
/** Characters of one parameter value, and of a comment. */
export const PARAMETER_VALUE_CHARACTERS = 32_768;
/** A library file's or a stored name, in UTF-8 bytes: what every file system in use can hold. */
export const FILE_NAME_BYTES = 255;
/** `$filter` text, and how deep its parentheses may nest. */
export const FILTER_CHARACTERS = 8_192;
export const FILTER_DEPTH = 64;
/** Largest `$top`, and the page size when none is asked for. */
export const PAGE_ROWS = 10_000;
/** Frames on the agent's socket; a longer one closes it. */
export const FRAME_TO_AGENT_BYTES = 4_194_304;
export const FRAME_TO_SERVER_BYTES = 262_144;
/** Raw bytes of results that travel with the report of their command, in all; larger ones are uploaded before it. */
export const INLINE_RESULT_BYTES = 16_384;
/** Raw bytes of a library file that travels with an offer, and how many of one; others are fetched. */
export const INLINE_FILE_BYTES = 16_384;
export const OFFER_FILES = 4;
/** Reports of one device that are recorded together. */
export const REPORTS_TOGETHER = 64;
/** Lists and objects of a frame in one another. */
export const FRAME_DEPTH = 16;
/** A frame that is too long by no more than this is told so before the connection ends. */
export const FRAME_EXCESS_BYTES = 65_536;
/** Seconds' worth of its frames and bytes that a device may send at once. */
export const DEVICE_BURST_SECONDS = 10;
/** What a connection costs of a device's frames: it is read and written for. */
export const FRAMES_PER_CONNECT = 50;
/** Frames of one device that wait to be handled, and their characters. */
export const FRAMES_WAITING = 2_000;
export const WAITING_CHARACTERS = 8_388_608;
/** Raw bytes of a script's output in one live frame. */
export const OUTPUT_FRAME_BYTES = 16_384;
/** Live frames that a device sends ahead of a watcher who does not take them, at most. */
export const OUTPUT_FRAMES_AHEAD = 16;
/** Watches that a device serves at once; a further one gets the output when the command has ended. */
export const WATCHES_PER_DEVICE = 16;
/** A device or an enrolment that has to wait longer than this for its turn is told when to come back. */
export const TURN_WAIT_SECONDS = 10;
/** An access token's life. */
export const TOKEN_SECONDS = 3_600;
/** How long an Idempotency-Key is remembered. */
export const IDEMPOTENCY_HOURS = 24;
export const IDEMPOTENCY_KEY_CHARACTERS = 255;
/** A device counts as `Active` when it was seen within this many days. */
export const ACTIVE_DAYS = 7;
/** `findbyip`: seen this close to the asked moment, which lies within the last 30 days. */
export const FIND_BY_IP_WINDOW_MINUTES = 15;
export const FIND_BY_IP_DAYS = 30;
/** One error sentence of a command, and how many are kept. */
export const COMMAND_ERROR_CHARACTERS = 2_000;
export const COMMAND_ERRORS = 20;

/** How long a device whose key is refused stays away between two tries: it may be let in again. */
export const REVOKED_RETRY_SECONDS = 3_600;
