/** The closed set of command types. What varies by type is a Record over it (`index.ts`). */
export const COMMAND_TYPES = ['PutFile', 'RunScript', 'GetFile'] as const;
export type CommandType = (typeof COMMAND_TYPES)[number];

/** A command as the caller sent it: echoed letter for letter, so its names may be in any case. */
export type SentCommand = {
  readonly type: string;
  readonly params: readonly { readonly key: string; readonly value: string }[];
};

/** The type that a sent text names, in any case, or null. */
export const parseCommandType = (text: string): CommandType | null =>
  COMMAND_TYPES.find((type) => type.toLowerCase() === text.toLowerCase()) ?? null;
