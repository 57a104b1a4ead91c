/**
 * A RunScript's result (wire contract 2), assembled from the raw outputs while it is downloaded: compact, keys in
 * the documented order, memory independent of the outputs' size; its length is known only at its end.
 */
import { streamOf } from './stream-of.ts';

export type ScriptOutputs = {
  readonly scriptName: string;
  readonly exitCode: number;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
};

/** Raw bytes escaped at once: a control character becomes six, so this bounds what one step holds. */
const STEP_BYTES = 65_536;

const encoder = new TextEncoder();

/**
 * What stands between the quotes. A decoder never ends a piece within a character, so the escape of the pieces is
 * the escape of the whole.
 */
const escaped = (text: string): Uint8Array => encoder.encode(JSON.stringify(text).slice(1, -1));

/** Bytes that are not UTF-8 become U+FFFD. A byte order mark at the start is dropped: it is no part of the text. */
async function* escapedText(raw: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const decoder = new TextDecoder();
  for await (const chunk of raw) {
    for (let at = 0; at < chunk.length; at += STEP_BYTES) {
      yield escaped(decoder.decode(chunk.subarray(at, at + STEP_BYTES), { stream: true }));
    }
  }
  yield escaped(decoder.decode());
}

async function* scriptResult(outputs: ScriptOutputs): AsyncGenerator<Uint8Array, void> {
  const { scriptName, exitCode, stdout, stderr } = outputs;
  const known = JSON.stringify({ script_name: scriptName, exit_code: exitCode });
  try {
    yield encoder.encode(`${known.slice(0, -1)},"script_output":"`);
    yield* escapedText(stdout);
    yield encoder.encode('","script_errors":"');
    yield* escapedText(stderr);
    yield encoder.encode('"}');
  } finally {
    // a download that ended early lets go of both; on a stream that was read to its end this does nothing
    for (const raw of [stdout, stderr]) raw.cancel().catch(() => undefined);
  }
}

/** `{"script_name":…,"exit_code":…,"script_output":…,"script_errors":…}` in UTF-8. */
export const scriptJson = (outputs: ScriptOutputs): ReadableStream<Uint8Array> => streamOf(scriptResult(outputs));
