/** A form that a person sent from a page of ours. There is no cookie: every form carries what proves who sends it. */
import { Refusal } from '@longarm/contract/errors';
import { TOKEN_BODY_BYTES } from '@longarm/contract/limits';
import { readBody } from '../http/read-body.ts';

export type Submission = { readonly field: (name: string) => string };

/** Throws Refusal for a form that another site sent. */
export const readSubmission = async (request: Request): Promise<Submission> => {
  const site = request.headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin')
    throw new Refusal('Forbidden', 'Expected a form of a page of this server, got one that another site sent.');
  const form = new URLSearchParams(await readBody(request, TOKEN_BODY_BYTES));
  return { field: (name) => form.get(name) ?? '' };
};
