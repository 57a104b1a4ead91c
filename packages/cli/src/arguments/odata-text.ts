/** A text as an OData literal: in quotes, its own quotes doubled (OData ABNF, `SQUOTE-in-string`). */
export const odataText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Conditions joined by `and`; undefined when there are none. */
export const allOf = (conditions: readonly (string | undefined)[]): string | undefined => {
  const present = conditions.filter((condition) => condition !== undefined);
  return present.length === 0 ? undefined : present.map((condition) => `(${condition})`).join(' and ');
};
