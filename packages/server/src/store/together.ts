/**
 * The same question, asked by many in one turn of the event loop, is put once: what devices of a herd need is read and
 * written together, not one by one.
 */

/** Asked at once at most: bounds a statement's parameters, and how long the loop is held. */
const MOST_AT_ONCE = 64;

type Asked<Question, Answer> = {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (fault: unknown) => void;
};

type Terms<Question, Answer> = {
  /** Comes round once: what arrived together has asked. */
  readonly turn: () => Promise<void>;
  /** Gives one answer for each, in their order. */
  readonly ask: (questions: readonly Question[]) => Promise<readonly Answer[]>;
};

/**
 * Parts as large as powers of two are, so that as many statements are prepared as there are of these. `most` is one of them.
 */
export const partsOf = <Item>(items: readonly Item[], most = MOST_AT_ONCE): readonly (readonly Item[])[] => {
  const parts: (readonly Item[])[] = [];
  let start = 0;
  for (let size = most; size >= 1; size /= 2)
    for (; items.length - start >= size; start += size) parts.push(items.slice(start, start + size));
  return parts;
};

/** What fails together is asked one by one, so that each fails for itself alone. */
const answerPart = async <Question, Answer>(
  ask: Terms<Question, Answer>['ask'],
  part: readonly Asked<Question, Answer>[],
): Promise<void> => {
  try {
    const answers = await ask(part.map(({ question }) => question));
    part.forEach(({ resolve, reject }, place) => {
      const answer = answers[place];
      if (answer === undefined) reject(new Error(`expected ${part.length} answers, got ${answers.length}`));
      else resolve(answer);
    });
  } catch (fault) {
    if (part.length === 1) part[0]?.reject(fault);
    else for (const one of part) await answerPart(ask, [one]);
  }
};

/** Rejects with what `ask` fails with. An answer is never undefined. */
export const together = <Question, Answer>(
  terms: Terms<Question, Answer>,
): ((question: Question) => Promise<Answer>) => {
  let waiting: Asked<Question, Answer>[] = [];
  const askAll = () => {
    const asked = waiting;
    waiting = [];
    for (const part of partsOf(asked)) void answerPart(terms.ask, part);
  };
  return (question) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    waiting.push({ question, resolve, reject });
    if (waiting.length === 1) void terms.turn().then(askAll);
    return promise;
  };
};
