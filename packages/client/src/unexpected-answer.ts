import type { z } from 'zod';

/** The server answered with success, in a form that the contract does not know. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
}

/** Reads a JSON answer by its schema; keys beyond it are let pass. Throws `UnexpectedAnswer`. */
export const parseAnswer = <Schema extends z.ZodType>(schema: Schema, body: unknown, what: string): z.infer<Schema> => {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new UnexpectedAnswer(
    `The answer to ${what} has not the form of the contract${where}: ${issue?.message ?? 'unknown'}. Server and client may be of different versions.`,
  );
};

/** Reads the body as JSON; throws `UnexpectedAnswer` when it is none. A cut connection keeps its own error. */
export const readJson = async (response: Response, what: string): Promise<unknown> => {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new UnexpectedAnswer(`The answer to ${what} is not JSON. Something else may be listening at that address.`);
  }
};
