/** Where the fields of a collection are kept: what the store tells the compiler of filters and orders. */
import type { FieldKind } from '@longarm/contract/odata/fields';
import type { Expression } from 'kysely';

/** A column, qualified (`machines.os_version`), or something computed from columns and, say, the present moment. */
export type ValueSource =
  | { readonly column: string; readonly expression?: never }
  | { readonly expression: Expression<unknown>; readonly column?: never };

/**
 * One value per row, of these types and forms, since the compiled SQL relies on them:
 *
 * - `text`, `enum`: text; on PostgreSQL under the collation "C", so that order and `lower` are those of SQLite;
 * - `guid`, `hex`: text in lower case;
 * - `moment`: a whole number of milliseconds since 1970;
 * - `number`: a whole number;
 * - `boolean`: a number, 0 or 1, as SQLite has no other.
 */
export type ValueColumn = ValueSource & {
  readonly kind: Exclude<FieldKind, 'textList'>;
  /** May be NULL. Default: no. */
  readonly nullable?: boolean;
  /** Closed set of an `enum`, in the spelling that is stored: equality then meets the plain column, and its index. */
  readonly values?: readonly string[];
};

/** A list of texts in rows of a table of its own. */
export type TextListColumn = {
  readonly kind: 'textList';
  readonly table: string;
  /** Column of that table that names the row it belongs to: `machine_tags.machine_id`. */
  readonly owner: string;
  /** What `owner` equals: `machines.id`. */
  readonly key: string;
  /** Column of that table with the text; never NULL. */
  readonly value: string;
};

export type FieldColumn = ValueColumn | TextListColumn;

/** By entity property. A field that a filter may name and that is missing here is a mistake of ours. */
export type ColumnMap<Field extends string = string> = Readonly<Record<Field, FieldColumn>>;
