/** Log lines for whoever runs the agent: one line, readable, with `key=value` at its end. */

export type LogLevel = 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;

/** Longest value of one field, in characters: a log line is read by people. */
const VALUE_CHARACTERS = 500;

const valueText = (value: string | number | boolean | null): string => {
  const text = String(value);
  const short = text.length <= VALUE_CHARACTERS ? text : `${text.slice(0, VALUE_CHARACTERS)}…`;
  // quoted where it would not read as one word; quoting also keeps line breaks and terminal sequences out
  return /^[\w./:@+-]+$/.test(short) ? short : JSON.stringify(short);
};

/** A log that writes `time level message key=value …` lines. The clock is the device's own: people compare it with theirs. */
export const textLog =
  (io: { readonly write: (line: string) => void; readonly now: () => number }): Log =>
  (level, message, fields = {}) => {
    const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${valueText(value)}`);
    io.write(`${new Date(io.now()).toISOString()} ${level} ${message}${pairs.join('')}\n`);
  };
