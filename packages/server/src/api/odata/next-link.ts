/** The absolute link to the next page of a collection (`@odata.nextLink`). */
import { queryOptionOf } from './parse-collection-query.ts';

export type NextPage = {
  /** Address that callers use, without a slash at its end: `https://lr.example`. */
  readonly publicUrl: string;
  /** Path as it was asked for: `/api/machines`. */
  readonly path: string;
  /** Query of the request; its options are kept in order, but for `$skip` and `$top`. */
  readonly params: URLSearchParams;
  /** Rows that lie before the next page. */
  readonly skip: number;
  /** Rows that are still asked for, or null for all. */
  readonly top: number | null;
};

// the runtime refuses a URL over 16 KB, so what a query may hold as it is, is not percent-encoded (RFC 3986, 3.4)
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/%(?:20|24|2C|2F|3A|40)/g, (code) =>
    code === '%20' ? '+' : decodeURIComponent(code),
  );

export const nextLink = (page: NextPage): string => {
  const replaced = new Set(['skip', 'top']);
  const kept = [...page.params].filter(([name]) => !replaced.has(queryOptionOf(name) ?? ''));
  const rest: [string, string][] = [['$skip', String(page.skip)]];
  if (page.top !== null) rest.push(['$top', String(page.top)]);
  const query = [...kept, ...rest].map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  return `${page.publicUrl}${page.path}?${query}`;
};
