/** Waits for a fact by asking again until it holds; throws with the last answer when it does not in time. */
export const until = async <Answer>(
  ask: () => Promise<Answer>,
  holds: (answer: Answer) => boolean,
  timeoutMs = 15_000,
): Promise<Answer> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms; last: ${JSON.stringify(answer)}`);
    // let others have the machine: the asking itself is not what is measured
    await Bun.sleep(20);
  }
};
