/**
 * Finds the endpoint that a request is for, from the contract's own table: each path part is decoded once, static
 * text matches in any case, `/api/v1.0` stands for `/api`, and what a parameter matched keeps its case.
 */
import { ENDPOINT_NAMES, ENDPOINTS, type EndpointName } from '@longarm/contract/rest/index';

export type PathMatch = { readonly name: EndpointName; readonly params: Readonly<Record<string, string>> };

type Matcher = { readonly name: EndpointName; readonly method: string; readonly parts: readonly PartMatcher[] };
type PartMatcher = { readonly form: RegExp; readonly names: readonly string[] };

const escapeText = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** `x(index={index})` → a pattern for one path part, and the names of what it captures. */
const partMatcher = (template: string): PartMatcher => {
  const names: string[] = [];
  const pieces = template.split(/\{([A-Za-z]+)\}/);
  const form = pieces.map((piece, place) => {
    if (place % 2 === 0) return escapeText(piece);
    names.push(piece);
    return '(.+)';
  });
  return { form: new RegExp(`^${form.join('')}$`, 'is'), names };
};

const MATCHERS: readonly Matcher[] = ENDPOINT_NAMES.map((name) => ({
  name,
  method: ENDPOINTS[name].method,
  parts: ENDPOINTS[name].path.split('/').slice(1).map(partMatcher),
}));

const decodePart = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/** The decoded parts of a path; a version after `/api` and empty parts are left out. */
const pathParts = (pathname: string): readonly string[] => {
  const parts = pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decodePart);
  return parts[0]?.toLowerCase() === 'api' && parts[1]?.toLowerCase() === 'v1.0' ? ['api', ...parts.slice(2)] : parts;
};

const paramsOf = (matcher: Matcher, parts: readonly string[]): Readonly<Record<string, string>> | null => {
  if (matcher.parts.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [place, part] of matcher.parts.entries()) {
    const match = part.form.exec(parts[place] ?? '');
    if (match === null) return null;
    for (const [index, name] of part.names.entries()) params[name] = match[index + 1] ?? '';
  }
  return params;
};

/** The first endpoint in the table's order, or null. */
export const matchPath = (method: string, pathname: string): PathMatch | null => {
  const parts = pathParts(pathname);
  for (const matcher of MATCHERS) {
    const params = matcher.method === method ? paramsOf(matcher, parts) : null;
    if (params !== null) return { name: matcher.name, params };
  }
  return null;
};
