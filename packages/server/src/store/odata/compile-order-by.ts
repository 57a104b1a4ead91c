/** `OrderBy` → what to hand to Kysely's `orderBy`, the same order on SQLite and PostgreSQL. */
import type { OrderBy } from '@longarm/contract/odata/query';
import { type Expression, type OrderByItemBuilder, sql } from 'kysely';
import type { ColumnMap, ValueColumn } from './column-map.ts';
import { valueIn } from './compile-comparison.ts';

/** For `query.orderBy(term.expression, term.modifiers)`. */
export type OrderTerm = {
  readonly expression: Expression<unknown>;
  readonly modifiers: (item: OrderByItemBuilder) => OrderByItemBuilder;
};

const isFolded = ({ kind }: ValueColumn): boolean => kind === 'text' || kind === 'enum';

/**
 * Text sorts without case; null comes first in rising order and last in falling (OData 4.01 Protocol 11.2.6.2), which
 * PostgreSQL has the other way round unless told. Rows that are equal in all terms have no order: add the key.
 */
export const compileOrderBy = (orderBy: readonly OrderBy[], map: ColumnMap): readonly OrderTerm[] =>
  orderBy.map(({ field, direction }) => {
    const column = map[field];
    if (column === undefined || column.kind === 'textList') {
      throw new Error(`the store cannot sort by the field ${field}`);
    }
    const value = valueIn(column);
    return {
      expression: isFolded(column) ? sql`lower(${value})` : value,
      modifiers: (item) => {
        const directed = direction === 'asc' ? item.asc() : item.desc();
        if (column.nullable !== true) return directed;
        return direction === 'asc' ? directed.nullsFirst() : directed.nullsLast();
      },
    };
  });
