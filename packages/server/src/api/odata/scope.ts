/** The names that a part of a filter may use: the properties of a collection, or the variable of `any`. */
import type { FieldKind, FieldTable } from '@longarm/contract/odata/fields';

export type ScopedField = { readonly name: string; readonly kind: FieldKind };

export type Scope = {
  /** The field that a written name stands for, in any case, or null. */
  readonly resolve: (written: string) => ScopedField | null;
  /** For errors. */
  readonly names: readonly string[];
};

export const scopeOf = (fields: FieldTable): Scope => {
  const byLowerCase = new Map(Object.entries(fields).map(([name, kind]) => [name.toLowerCase(), { name, kind }]));
  return { resolve: (written) => byLowerCase.get(written.toLowerCase()) ?? null, names: Object.keys(fields) };
};

/** Inside `list/any(variable: …)` the variable is the only name, and stands for one text of the list. */
export const lambdaScope = (variable: string, list: ScopedField): Scope => ({
  resolve: (written) => (written.toLowerCase() === variable.toLowerCase() ? { name: list.name, kind: 'text' } : null),
  names: [variable],
});
