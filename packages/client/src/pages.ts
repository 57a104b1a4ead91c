/** Collections page by page (OData JSON format 4.01, 11.2: `@odata.nextLink`). */

type Page<Item> = { readonly value: readonly Item[]; readonly '@odata.nextLink'?: string | undefined };

/** `$filter`, `$orderby` and their like, by name. */
export type CollectionOptions = Readonly<Record<string, string | undefined>>;

/**
 * Yields every item of every page. Of a next link only the query is taken: the address stays the one that the
 * caller chose, so a token never follows a link to somewhere else.
 */
export async function* eachItem<Item>(
  fetchPage: (query: CollectionOptions) => Promise<Page<Item>>,
  first: CollectionOptions,
): AsyncGenerator<Item> {
  const seen = new Set<string>();
  for (let query: CollectionOptions | null = first; query !== null; ) {
    const page: Page<Item> = await fetchPage(query);
    yield* page.value;
    const next: string | undefined = page['@odata.nextLink'];
    if (next === undefined || seen.has(next)) return;
    seen.add(next);
    query = Object.fromEntries(new URL(next).searchParams);
  }
}
