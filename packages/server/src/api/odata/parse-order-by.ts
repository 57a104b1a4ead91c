/** `$orderby` → what to sort by, first things first. */
import type { FieldTable } from '@longarm/contract/odata/fields';
import type { OrderBy } from '@longarm/contract/odata/query';
import { optionFault, shown } from './odata-fault.ts';
import { type Scope, scopeOf } from './scope.ts';

const ITEM = /^\s*(?<property>[A-Za-z0-9_]+)(?:\s+(?<direction>asc|desc))?\s*$/i;

const parseItem = (text: string, scope: Scope): OrderBy => {
  const { property, direction } = ITEM.exec(text)?.groups ?? {};
  if (property === undefined) {
    throw optionFault('$orderby', `expected a property, or a property and asc or desc, got ${shown(text)}.`);
  }
  const field = scope.resolve(property);
  if (field === null) {
    throw optionFault('$orderby', `expected a property out of ${scope.names.join(', ')}, got ${shown(property)}.`);
  }
  return { field: field.name, direction: direction?.toLowerCase() === 'desc' ? 'desc' : 'asc' };
};

/** Property names come out in the table's spelling; a list of texts has no order. Throws ODataError. */
export const parseOrderBy = (text: string, fields: FieldTable): readonly OrderBy[] => {
  const sortable = Object.fromEntries(Object.entries(fields).filter(([, kind]) => kind !== 'textList'));
  const scope = scopeOf(sortable);
  return text.split(',').map((item) => parseItem(item, scope));
};
