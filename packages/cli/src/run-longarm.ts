/** Runs one command line and turns however it ends into an exit code and a sentence. */
import { CommanderError } from 'commander';
import { SERVER_ENDED } from './commands/server.ts';
import { visible, visibleLines } from './display/visible.ts';
import { EXIT_CODES } from './faults/exit-codes.ts';
import { explain } from './faults/explain.ts';
import { longarmProgram } from './longarm-program.ts';
import type { LongarmParts } from './world/parts.ts';

/** Help and version that were asked for; the parser reports them like faults. */
const ASKED_FOR = new Set(['commander.helpDisplayed', 'commander.version']);

const parserExitCode = (error: CommanderError): number => {
  if (error.code === SERVER_ENDED) return error.exitCode;
  return ASKED_FOR.has(error.code) ? EXIT_CODES.fine.code : EXIT_CODES.usage.code;
};

const runParsed = async (parts: LongarmParts, argv: readonly string[]): Promise<number> => {
  try {
    await longarmProgram(parts).parseAsync([...argv], { from: 'user' });
    return EXIT_CODES.fine.code;
  } catch (error) {
    // The parser has already said what it had to say.
    if (error instanceof CommanderError) return parserExitCode(error);
    const { reason, sentence, next, trace } = explain(error);
    const lines = [`longarm: ${visible(sentence)}`, ...(next === null ? [] : [`  ${visible(next)}`])];
    if (trace !== null) lines.push(visibleLines(trace));
    await parts.io.stderr.write(`${lines.join('\n')}\n`);
    return EXIT_CODES[reason].code;
  }
};

/** `argv`: what stands behind the program's name. Never rejects; all output has left when it resolves. */
export const runLongarm = async (parts: LongarmParts, argv: readonly string[]): Promise<number> => {
  const code = await runParsed(parts, argv);
  await Promise.all([parts.io.stdout.write(''), parts.io.stderr.write('')]);
  return code;
};
