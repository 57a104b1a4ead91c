/** Variables by which the runtime below an executable would run something else than the program in it. */
const RUNTIME_VARIABLES = ['BUN_BE_BUN', 'BUN_OPTIONS'] as const;

/** Why the program must not start in this environment, or null. */
export const takenOver = (env: Readonly<Record<string, string | undefined>>): string | null => {
  const set = RUNTIME_VARIABLES.filter((name) => env[name] !== undefined);
  if (set.length === 0) return null;
  return `${set.join(' and ')} must not be set: the runtime would obey it before this program does. Unset it and start again.`;
};
