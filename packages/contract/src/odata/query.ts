/**
 * A query option, read: pure data that the API's parser makes and the store compiles. Field names are those of
 * the entity on the wire; the parser has already checked them against the collection's table of fields.
 */

/** What a filter compares a field with. Moments are milliseconds since 1970. */
export type Literal = string | number | boolean | null;

export const COMPARISONS = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const;
export type Comparison = (typeof COMPARISONS)[number];

export const TEXT_TESTS = ['startswith', 'endswith', 'contains'] as const;
export type TextTest = (typeof TEXT_TESTS)[number];

export type Filter =
  | { readonly kind: 'compare'; readonly field: string; readonly op: Comparison; readonly value: Literal }
  | { readonly kind: 'in'; readonly field: string; readonly values: readonly Literal[] }
  | { readonly kind: 'text'; readonly field: string; readonly test: TextTest; readonly value: string }
  /** Some member of a list field satisfies the inner filter; inside it, `field` is the list field itself. */
  | { readonly kind: 'any'; readonly field: string; readonly inner: Filter | null }
  | { readonly kind: 'and' | 'or'; readonly left: Filter; readonly right: Filter }
  | { readonly kind: 'not'; readonly inner: Filter };

export type OrderBy = { readonly field: string; readonly direction: 'asc' | 'desc' };

export type CollectionQuery = {
  readonly filter: Filter | null;
  readonly orderBy: readonly OrderBy[];
  /** Entity properties to answer with, or null for all. */
  readonly select: readonly string[] | null;
  /** Rows asked for in all, or null. */
  readonly top: number | null;
  readonly skip: number;
  readonly count: boolean;
};
