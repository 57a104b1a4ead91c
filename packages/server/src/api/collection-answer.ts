/** One page of a collection, with its context, count and the link to the next page where there is one. */
import type { CollectionQuery } from '@longarm/contract/odata/query';
import { jsonAnswer } from '../http/json-answer.ts';
import { nextLink } from './odata/next-link.ts';
import { contextOf, pick, presentCollection } from './present/context.ts';
import type { RouteContext } from './route.ts';

export type CollectionPage = {
  /** What the context names: `Machines`. */
  readonly name: string;
  readonly query: CollectionQuery;
  readonly count: number | null;
  readonly hasMore: boolean;
};

export const collectionAnswer = (
  { url, base }: Pick<RouteContext, 'url' | 'base'>,
  { name, query, count, hasMore }: CollectionPage,
  entities: readonly object[],
): Response => {
  const skip = query.skip + entities.length;
  const next = { publicUrl: base, path: url.pathname, params: url.searchParams, skip, top: null };
  const page = { context: contextOf(base, name), count, nextLink: hasMore ? nextLink(next) : null };
  return jsonAnswer(
    presentCollection(
      page,
      entities.map((entity) => pick(entity, query.select)),
    ),
  );
};
