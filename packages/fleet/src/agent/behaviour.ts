/** How simulated agents behave: `--behaviour latency-ms=50,output-bytes=2000,fail=0.1`. */

/** Each trait with its default and its meaning. */
export const TRAITS = {
  'latency-ms': { value: 20, most: 3_600_000, meaning: 'milliseconds that a command takes, varied by a half' },
  'output-bytes': { value: 100, most: 104_857_600, meaning: 'bytes of a script’s output, and of a collected file' },
  fail: { value: 0, most: 1, meaning: 'share of the commands that fail' },
  asleep: { value: 0, most: 0.99, meaning: 'share of the agents that is away at any moment' },
  'awake-seconds': { value: 30, most: 86_400, meaning: 'seconds that an agent stays connected, where some are asleep' },
} as const;

export type TraitName = keyof typeof TRAITS;
export type Behaviour = Readonly<Record<TraitName, number>>;

const TRAIT_NAMES: readonly TraitName[] = ['latency-ms', 'output-bytes', 'fail', 'asleep', 'awake-seconds'];

export const DEFAULT_BEHAVIOUR: Behaviour = {
  'latency-ms': TRAITS['latency-ms'].value,
  'output-bytes': TRAITS['output-bytes'].value,
  fail: TRAITS.fail.value,
  asleep: TRAITS.asleep.value,
  'awake-seconds': TRAITS['awake-seconds'].value,
};

/** Throws a sentence that names the trait. */
export const parseBehaviour = (text: string): Behaviour => {
  const behaviour: Record<TraitName, number> = { ...DEFAULT_BEHAVIOUR };
  for (const part of text.split(',').filter((piece) => piece.trim() !== '')) {
    const [given = '', valueText = ''] = part.split('=').map((piece) => piece.trim());
    const name = TRAIT_NAMES.find((trait) => trait === given);
    if (name === undefined)
      throw new Error(`--behaviour: expected one of ${TRAIT_NAMES.join(', ')}, got ${JSON.stringify(given)}`);
    const value = valueText === '' ? Number.NaN : Number(valueText);
    if (!(value >= 0 && value <= TRAITS[name].most))
      throw new Error(
        `--behaviour ${name}: expected a number from 0 to ${TRAITS[name].most}, got ${JSON.stringify(valueText)}`,
      );
    behaviour[name] = value;
  }
  return behaviour;
};

/** Seconds that an agent is away between two times of being awake, so that the share holds. */
export const asleepSeconds = (behaviour: Behaviour): number =>
  (behaviour['awake-seconds'] * behaviour.asleep) / (1 - behaviour.asleep);
