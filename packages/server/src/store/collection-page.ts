/** Applies a parsed collection query to a select: filter, order with the key last, skip and top. */
import { PAGE_ROWS } from '@longarm/contract/limits';
import type { CollectionQuery } from '@longarm/contract/odata/query';
import type { SelectQueryBuilder } from 'kysely';
import type { ColumnMap } from './odata/column-map.ts';
import { compileFilter } from './odata/compile-filter.ts';
import { compileOrderBy } from './odata/compile-order-by.ts';

/** The rows that the filter lets through. */
export const filtered = <Db, Table extends keyof Db, Row>(
  select: SelectQueryBuilder<Db, Table, Row>,
  query: CollectionQuery,
  columns: ColumnMap,
): SelectQueryBuilder<Db, Table, Row> =>
  query.filter === null ? select : select.where(compileFilter(query.filter, columns));

/** Their order and page, and one row more when the page is full, so that `cutPage` can tell. */
export const paged = <Db, Table extends keyof Db, Row>(
  select: SelectQueryBuilder<Db, Table, Row>,
  query: CollectionQuery,
  columns: ColumnMap,
): SelectQueryBuilder<Db, Table, Row> => {
  let ordered = select;
  for (const term of compileOrderBy(query.orderBy, columns)) ordered = ordered.orderBy(term.expression, term.modifiers);
  return ordered.limit(query.top ?? PAGE_ROWS + 1).offset(query.skip);
};

/** The page, and whether there are rows after it that the caller has not left out by `$top`. */
export const cutPage = <Row>(rows: readonly Row[]): { readonly rows: readonly Row[]; readonly hasMore: boolean } => ({
  rows: rows.slice(0, PAGE_ROWS),
  hasMore: rows.length > PAGE_ROWS,
});
