/** Hours in which nothing starts on the device, by the device's own clock and time zone: they are about who sits at it. */
import { z } from 'zod';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const TimeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'expected a time such as 07:30');

export const QuietHours = z.strictObject({
  /** Days on which they begin; every day when absent. */
  days: z.array(z.enum(DAYS)).min(1).optional(),
  from: TimeOfDay,
  /** Not included. Earlier than `from`, or the same: on the next day. */
  to: TimeOfDay,
});
export type QuietHours = z.infer<typeof QuietHours>;

export type LocalTime = { readonly day: number; readonly minute: number };

const minuteOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

const beginsOn = ({ days }: QuietHours, day: number): boolean => {
  const name = DAYS[(day + 7) % 7];
  return days === undefined || (name !== undefined && days.includes(name));
};

export const isQuiet = (hours: QuietHours, { day, minute }: LocalTime): boolean => {
  const [from, to] = [minuteOf(hours.from), minuteOf(hours.to)];
  if (from < to) return beginsOn(hours, day) && minute >= from && minute < to;
  return (beginsOn(hours, day) && minute >= from) || (beginsOn(hours, day - 1) && minute < to);
};
