import { expect, test } from 'bun:test';
import { createManualWorld } from '@longarm/testkit/manual-world';
import { resumedBytes } from './resumed-bytes.ts';

/** Any transport may end a body too early without saying so: the length that was told is what counts. */
test('a body that ends before its told length is gone on with', async () => {
  const world = createManualWorld();
  const offsets: number[] = [];
  const open = async (offset: number): Promise<Response> => {
    offsets.push(offset);
    return offset === 0
      ? new Response('0123', { headers: { 'content-length': '10' } })
      : new Response('456789', { status: 206, headers: { 'content-range': 'bytes 4-9/10' } });
  };
  const bytes = resumedBytes({ open, world, origin: 'http://x' });
  const first = await bytes.next();
  expect(new TextDecoder().decode(first.value)).toBe('0123');
  const rest = bytes.next();
  await world.timerOf(200);
  world.advance(200);
  expect(new TextDecoder().decode((await rest).value)).toBe('456789');
  expect((await bytes.next()).done).toBe(true);
  expect(offsets).toEqual([0, 4]);
});

test('a part that begins behind what was asked for is refused: bytes would be missing', async () => {
  const headers = { 'content-range': 'bytes 5-9/10' };
  const open = async () => new Response('56789', { status: 206, headers });
  const bytes = resumedBytes({ open, world: createManualWorld(), origin: 'http://x' });
  await expect(bytes.next()).rejects.toThrow(/from byte 0, got it from byte 5/);
});
