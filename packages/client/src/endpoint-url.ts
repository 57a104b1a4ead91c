import type { Endpoint } from '@longarm/contract/rest/endpoint';

export type PathParts = Readonly<Record<string, string>>;
export type QueryParts = Readonly<Record<string, string | undefined>>;

/**
 * The address of an endpoint below the server's: `{name}` in its path replaced by the encoded part.
 * Throws for a part that is missing: our own mistake.
 */
export const endpointUrl = (server: URL, endpoint: Endpoint, parts: { path?: PathParts; query?: QueryParts }): URL => {
  const path = endpoint.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = parts.path?.[name];
    if (value === undefined) throw new Error(`The path ${endpoint.path} needs a value for ${name}.`);
    return encodePart(value);
  });
  const url = new URL(path.slice(1), server);
  for (const [name, value] of Object.entries(parts.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url;
};

/** `.` and `..` would be taken as steps of the path, encoded or not. */
const encodePart = (value: string): string => {
  if (value === '' || value === '.' || value === '..') {
    throw new Error(`Expected an id or a name in the address, got ${JSON.stringify(value)}.`);
  }
  return encodeURIComponent(value);
};

/** The server's address as a base: with a path that ends in a slash, without query and fragment. */
export const serverBase = (server: string): URL => {
  const url = new URL(server);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(`Expected the server's address with http:// or https://, got ${JSON.stringify(server)}.`);
  }
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
};
