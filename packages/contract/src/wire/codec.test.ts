import { describe, expect, test } from 'bun:test';
import { z } from 'zod';
import { FRAME_DEPTH, FRAME_TO_SERVER_BYTES } from '../limits.ts';
import { decodeFrame, encodeFrame } from './codec.ts';
import { FrameToAgent } from './to-agent.ts';
import { FrameToServer } from './to-server.ts';

const Text = z.strictObject({ text: z.string() });
/** A frame of exactly so many bytes, its text made of one character. */
const frameOf = (bytes: number, character: string): string => {
  const size = new TextEncoder().encode(character).length;
  const room = bytes - encodeFrame({ text: '' }).length;
  return encodeFrame({ text: character.repeat(Math.floor(room / size)) + 'x'.repeat(room % size) });
};
const fault = (decoded: ReturnType<typeof decodeFrame>): string => (decoded.ok ? 'decoded' : decoded.fault);

describe('the size counts bytes', () => {
  for (const character of ['x', 'é', '資', '😀']) {
    test(`${character}: at the limit, and one past it`, () => {
      const limit = 1_000;
      expect(new TextEncoder().encode(frameOf(limit, character))).toHaveLength(limit);
      expect(decodeFrame(Text, frameOf(limit, character), limit).ok).toBe(true);
      expect(fault(decodeFrame(Text, frameOf(limit + 1, character), limit))).toBe(
        'expected at most 1000 bytes in a frame, got more',
      );
    });
  }
  test('it is looked at before the text is parsed', () => {
    expect(fault(decodeFrame(FrameToServer, '{'.repeat(FRAME_TO_SERVER_BYTES + 1), FRAME_TO_SERVER_BYTES))).toContain(
      'at most',
    );
  });
});

describe('a fault is a sentence and never a throw', () => {
  const cases: [string | Uint8Array, string][] = [
    [new Uint8Array(3), 'expected a text frame, got a binary one'],
    ['', 'expected JSON in a frame, got something else'],
    ['{"type":', 'expected JSON in a frame, got something else'],
    ['null', 'frame: :'],
    ['[]', 'frame: :'],
    ['{"type":"unheard-of"}', 'frame: type:'],
    ['{"type":"heartbeat","more":1}', 'frame: :'],
    ['{"type":"report","sequence":0,"fact":{"kind":"accepted"}}', 'frame: sequence:'],
  ];
  for (const [text, sentence] of cases) {
    test(String(text), () => expect(fault(decodeFrame(FrameToServer, text, 1_000))).toStartWith(sentence));
  }
  test('a long one is cut', () => {
    const Long = z.strictObject({ type: z.string().regex(/^a$/, 'x'.repeat(1_000)) });
    expect(fault(decodeFrame(Long, '{"type":"b"}', 1_000))).toHaveLength(301);
  });
});

test('frames of both directions are read as they were written', () => {
  const actionId = '5a1c0b3e-3c38-4d2f-9d57-2b7b7f0f2f11';
  const report = { type: 'report', sequence: 1, fact: { kind: 'accepted', actionId, at: 1 } };
  const cancel = { type: 'cancel', actionId, reason: 'asked for', ticket: 't' };
  expect(decodeFrame(FrameToServer, encodeFrame(report), 1_000)).toEqual({
    ok: true,
    value: FrameToServer.parse(report),
  });
  expect(decodeFrame(FrameToAgent, encodeFrame(cancel), 1_000)).toEqual({
    ok: true,
    value: FrameToAgent.parse(cancel),
  });
});

describe('the depth counts before anything is parsed', () => {
  const Any = z.unknown();
  const nested = (depth: number): string => `${'['.repeat(depth)}"${'x'.repeat(2_000)}"${']'.repeat(depth)}`;
  test('at the limit, and one past it', () => {
    expect(decodeFrame(Any, nested(FRAME_DEPTH), 10_000).ok).toBe(true);
    expect(fault(decodeFrame(Any, nested(FRAME_DEPTH + 1), 10_000))).toBe(
      'expected at most 16 lists and objects in one another, got more',
    );
  });
  test('brackets in texts are text, and lists beside each other are not in one another', () => {
    const texts = ['[{'.repeat(1_000), '"]\\"['.repeat(1_000), '\\'.repeat(1_001)];
    for (const text of texts) expect(decodeFrame(Any, JSON.stringify({ text }), 20_000).ok).toBe(true);
    expect(decodeFrame(Any, JSON.stringify(Array.from({ length: 1_000 }, () => [{}])), 20_000).ok).toBe(true);
  });
  test('what never ends is a fault', () => {
    for (const text of [`"${'x'.repeat(2_000)}`, `"${'x'.repeat(2_000)}\\`, `[{"${'x'.repeat(2_000)}`])
      expect(fault(decodeFrame(Any, text, 10_000))).toContain('expected JSON');
  });
});
