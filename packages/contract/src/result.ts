/** What a command leaves to be downloaded. Source: wire contract 2, semantics 14–18. */
import { z } from 'zod';

/** Raw streams as transferred and stored: a collected file, or a script's two outputs. */
export const RESULT_STREAMS = ['file', 'stdout', 'stderr'] as const;
export type ResultStream = (typeof RESULT_STREAMS)[number];

/** The outputs of a script. */
export const SCRIPT_STREAMS = ['stdout', 'stderr'] as const;
export type ScriptStream = (typeof SCRIPT_STREAMS)[number];

/** Body of a RunScript result: all four keys, always, and strings never null. */
export const ScriptResult = z.object({
  script_name: z.string(),
  exit_code: z.int(),
  script_output: z.string(),
  script_errors: z.string(),
});
export type ScriptResult = z.infer<typeof ScriptResult>;
