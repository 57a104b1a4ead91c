/**
 * Queries that are built and compiled once and asked again with other values: building and compiling one takes several
 * times what SQLite takes to answer it. Made with Kysely all the same, so that each dialect has its own text of it.
 */
import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely';
import type { Schema } from './schema.ts';

/** Stands where a value will be bound. */
class Place {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

type Given = Readonly<Record<string, unknown>>;

const placesOf = <Values extends Given>(values: Values): Values =>
  // typed as the values themselves: Kysely binds whatever it is given
  Object.fromEntries(Object.keys(values).map((name) => [name, new Place(name)])) as Values;

const bind = <Row>(compiled: CompiledQuery<Row>, values: Given): CompiledQuery<Row> => ({
  ...compiled,
  parameters: compiled.parameters.map((parameter) => (parameter instanceof Place ? values[parameter.name] : parameter)),
});

/** Asks without what Kysely does besides for plugins, of which there are none: half of what it costs. */
export const askAtOnce = <Database, Row>(db: Kysely<Database>, query: CompiledQuery<Row>): Promise<QueryResult<Row>> =>
  db.getExecutor().provideConnection((connection) => connection.executeQuery(query));

/**
 * `build` is called once for each dialect that it is asked in, with a place for each value: it must not look at them, and lists
 * (`in`) are for `preparedList`. Each call gives values of the same names.
 */
export const prepared = <Values extends Given, Row>(
  build: (db: Kysely<Schema>, given: Values) => Compilable<Row>,
): ((db: Kysely<Schema>, values: Values) => Promise<QueryResult<Row>>) => {
  const compiled = new WeakMap<object, CompiledQuery<Row>>();
  return (db, values) => {
    // one for each dialect, however many databases of it are opened
    const { constructor: dialect } = db.getExecutor().adapter;
    const known = compiled.get(dialect) ?? build(db, placesOf(values)).compile();
    compiled.set(dialect, known);
    return askAtOnce(db, bind(known, values));
  };
};

const ITEM = /^(\d+) (.+)$/;

const numbered = (items: readonly Given[]): Given =>
  Object.fromEntries(
    items.flatMap((item, place) => Object.entries(item).map(([name, value]) => [`${place} ${name}`, value])),
  );

/** The items that `numbered` made these names of. */
const itemsIn = <Item extends Given>(given: Given): readonly Item[] => {
  const items: Record<string, unknown>[] = [];
  for (const [key, value] of Object.entries(given)) {
    const [, place, name] = ITEM.exec(key) ?? [];
    if (place === undefined || name === undefined) continue;
    const item = items[Number(place)] ?? {};
    item[name] = value;
    items[Number(place)] = item;
  }
  // typed as the items themselves, as in placesOf
  return items as unknown as readonly Item[];
};

/**
 * The same for lists, of one item at least: compiled once for each length, so that callers give lists of few lengths
 * (`partsOf` in together.ts). All items have the same names.
 */
export const preparedList = <Item extends Given, Row, Values extends Given = Record<never, never>>(
  build: (db: Kysely<Schema>, items: readonly Item[], given: Values) => Compilable<Row>,
): ((db: Kysely<Schema>, items: readonly Item[], values: Values) => Promise<QueryResult<Row>>) => {
  const byLength = new Map<number, (db: Kysely<Schema>, values: Values) => Promise<QueryResult<Row>>>();
  return (db, items, values) => {
    const ask =
      byLength.get(items.length) ?? prepared<Values, Row>((asked, given) => build(asked, itemsIn(given), given));
    byLength.set(items.length, ask);
    return ask(db, { ...values, ...numbered(items) });
  };
};

/** The first row of what was asked, if there is any. */
export const firstOf = async <Row>(asked: Promise<QueryResult<Row>>): Promise<Row | undefined> => (await asked).rows[0];
