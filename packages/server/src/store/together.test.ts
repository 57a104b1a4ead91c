import { expect, test } from 'bun:test';
import { together } from './together.ts';

const world = (isPoison: (question: number) => boolean = () => false) => {
  const asked: (readonly number[])[] = [];
  const turns: (() => void)[] = [];
  const half = together<number, string>({
    turn: () => new Promise((resolve) => void turns.push(resolve)),
    ask: async (questions) => {
      asked.push(questions);
      if (questions.some(isPoison)) throw new Error(`cannot answer ${questions}`);
      return questions.map((question) => `about ${question}`);
    },
  });
  return { asked, half, comeRound: () => turns.shift()?.() };
};

test('what is asked in one turn is put once, and each gets its own answer', async () => {
  const { asked, half, comeRound } = world();
  const answers = Promise.all([half(1), half(2)]);
  comeRound();
  expect(await answers).toEqual(['about 1', 'about 2']);
  const later = half(3);
  comeRound();
  expect(await later).toBe('about 3');
  expect(asked).toEqual([[1, 2], [3]]);
});

test('many are asked in parts of a few sizes', async () => {
  const { asked, half, comeRound } = world();
  const all = Array.from({ length: 64 + 64 + 16 + 2 + 1 }, (_, place) => place);
  const answers = Promise.all(all.map(half));
  comeRound();
  expect(await answers).toEqual(all.map((place) => `about ${place}`));
  expect(asked.map(({ length }) => length)).toEqual([64, 64, 16, 2, 1]);
});

test('one that cannot be answered takes no other with it', async () => {
  const { half, comeRound } = world((question) => question === 2);
  const answers = Promise.allSettled([1, 2, 3].map(half));
  comeRound();
  expect(
    (await answers).map((answer) => (answer.status === 'fulfilled' ? answer.value : String(answer.reason))),
  ).toEqual(['about 1', 'Error: cannot answer 2', 'about 3']);
});

test('an answer that is missing is a fault of its question', async () => {
  const ask = together<number, string>({ turn: async () => {}, ask: async () => ['one'] });
  const [first, second] = await Promise.allSettled([ask(1), ask(2)]);
  expect(first).toMatchObject({ value: 'one' });
  expect(second).toMatchObject({ status: 'rejected' });
});
