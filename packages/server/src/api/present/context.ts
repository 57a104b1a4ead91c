/** `@odata.context` of what the API answers with; the base is the server's public address. */
export const contextOf = (base: string, what: string): string => `${base}/api/$metadata#${what}`;

export const presentCollection = (
  page: { readonly context: string; readonly count: number | null; readonly nextLink: string | null },
  value: readonly unknown[],
): object => ({
  '@odata.context': page.context,
  ...(page.count === null ? {} : { '@odata.count': page.count }),
  value,
  ...(page.nextLink === null ? {} : { '@odata.nextLink': page.nextLink }),
});

/** The entity with the selected properties only, in its own order. */
export const pick = <Entity extends object>(entity: Entity, select: readonly string[] | null): object =>
  select === null ? entity : Object.fromEntries(Object.entries(entity).filter(([key]) => select.includes(key)));
