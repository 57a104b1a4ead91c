/** Sizes, times and ages as people say them. */

const SIZE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1536` → `1.5 KiB`. */
export const formatSize = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < SIZE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${SIZE_UNITS[unit]}`;
};

/** Milliseconds → `0.4 s`, `42 s`, `3 min`, `5 h`, `2 d`: the largest unit that fits, rounded down. */
export const formatDuration = (ms: number): string => {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
};

/** A moment of the wire as an age at `nowMs`: `5 min ago`; what lies ahead counts as now. */
export const formatAge = (instant: string, nowMs: number): string => {
  const ageMs = nowMs - Date.parse(instant);
  if (!Number.isFinite(ageMs)) return instant;
  return ageMs < 1_000 ? 'now' : `${formatDuration(Math.floor(ageMs / 1000) * 1000).replace('.0 s', ' s')} ago`;
};

/** A moment of the wire without its last four fraction digits, which are always zero here. */
export const formatMoment = (instant: string): string => instant.replace(/\.(\d{3})\d{4}Z$/, '.$1Z');
