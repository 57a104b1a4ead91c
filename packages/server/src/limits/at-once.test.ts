import { expect, test } from 'bun:test';
import { atOnce } from './at-once.ts';

test('so many at once of one subject; a place is free when work has ended, well or badly', async () => {
  const most = atOnce(2);
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const running = [most.run('a', () => first.promise), most.run('a', () => second.promise)];
  expect(await most.run('a', async () => 'third')).toBeNull();
  expect(await most.run('b', async () => 'other')).toBe('other');
  first.reject(new Error('broken off'));
  await expect(running[0]).rejects.toThrow('broken off');
  expect(await most.run('a', async () => 'again')).toBe('again');
  second.resolve('done');
  expect(await running[1]).toBe('done');
});
