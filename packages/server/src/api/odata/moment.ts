/** Moments as clients write them into a filter. */
import type { EpochMs } from '@longarm/contract/instant';

/**
 * A date with or without a time, and either with or without `Z` or an offset: `2018-08-01`, `2018-08-01Z` (which the
 * original documents), `2026-01-01T00:00`, `2026-01-01T00:00:00.1234567+02:00`. A space stands for the plus sign of an
 * offset that was put into the URL without encoding it. Without a zone it is UTC.
 */
export const MOMENT_FORM = /\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+ -]\d\d:\d\d)?/;

const PARTS =
  /^(?<date>\d{4}-\d\d-\d\d)(?:T(?<time>\d\d:\d\d)(?::(?<seconds>\d\d)(?:\.(?<fraction>\d+))?)?)?(?<zone>Z|[+ -]\d\d:\d\d)?$/i;

const zoneOf = (written: string | undefined): string =>
  written === undefined || /^z$/i.test(written) ? 'Z' : written.replace(' ', '+');

/**
 * Milliseconds since 1970, or null where the text is no moment or no day of the calendar. Digits below a millisecond
 * are cut, as no moment here has them.
 */
export const parseMoment = (text: string): EpochMs | null => {
  const parts = PARTS.exec(text)?.groups;
  if (parts === undefined) return null;
  const { date = '', time = '00:00', seconds = '00', fraction = '', zone } = parts;
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0');
  const local = Date.parse(`${date}T${time}:${seconds}.${milliseconds}Z`);
  // the parser of dates rolls 30 February over into March
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(date)) return null;
  const at = Date.parse(`${date}T${time}:${seconds}.${milliseconds}${zoneOf(zone)}`);
  return Number.isNaN(at) ? null : at;
};
