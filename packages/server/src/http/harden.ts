/**
 * What a browser may do with an answer of ours: nothing. Much of what is answered was said by a device or a caller, so
 * no answer is a page, runs anything, is framed, is guessed to be of another type, or tells its signed address to
 * whoever it links to. A page of our own says what it needs in a policy of its own, which is kept.
 * Content Security Policy Level 3; Fetch, 3.5 (`nosniff`) and 3.7 (`Cross-Origin-Resource-Policy`).
 */

const NOTHING = "default-src 'none'; frame-ancestors 'none'; sandbox";

/** Changes the answer's headers, and returns it. */
export const harden = (answer: Response): Response => {
  const { headers } = answer;
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('Referrer-Policy', 'no-referrer');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  if (!headers.has('Content-Security-Policy')) headers.set('Content-Security-Policy', NOTHING);
  return answer;
};
