/** zod schemas → JSON Schema, with the shared shapes under `components`. */
import { z } from 'zod';
import { ActionEntity, CommandEntity } from '../action.ts';
import { InstantText } from '../instant.ts';
import { LibraryFileEntity } from '../library-file.ts';
import { IpAddressEntity, MachineEntity } from '../machine.ts';
import { ErrorBody } from '../rest/shapes.ts';
import type { JsonSchema } from './types.ts';

const CONTEXT_KEY = '@odata.context';
const Context = z.object({ [CONTEXT_KEY]: z.string() });

const ENTITIES = { MachineAction: ActionEntity, Machine: MachineEntity, LibraryFile: LibraryFileEntity } as const;

const COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  ...ENTITIES,
  Command: CommandEntity,
  IpAddress: IpAddressEntity,
  Error: ErrorBody,
  Context,
  Instant: InstantText,
};

/** Requests are described as what may be sent, answers as what is sent. */
export type Direction = 'request' | 'answer';

const reference = (name: string): string => `#/components/schemas/${name}`;

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>;

/** Takes out what zod says of every object and whole number, and what callers must not rely on. */
const tidy: Override = ({ jsonSchema }) => {
  // answers grow new keys: a client that refuses them would break
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
};

const toJsonSchemas = (
  named: Readonly<Record<string, z.ZodType>>,
  direction: Direction,
): Record<string, JsonSchema> => {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const io = direction === 'request' ? 'input' : 'output';
  const { schemas } = z.toJSONSchema(registry, { uri: reference, io, override: tidy });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema, $id, ...schema }]): [string, JsonSchema] => [id, schema]),
  );
};

/** The shared shapes, by name. */
export const componentSchemas = (): Readonly<Record<string, JsonSchema>> => toJsonSchemas(COMPONENTS, 'answer');

/** The entity whose every property the schema holds beside its context, or null. */
const entityBehindContext = (schema: z.ZodType): string | null => {
  if (!(schema instanceof z.ZodObject) || !(CONTEXT_KEY in schema.shape)) return null;
  const { shape } = schema;
  const found = Object.entries(ENTITIES).find(([, entity]) =>
    Object.entries(entity.shape).every(([key, value]) => shape[key] === value),
  );
  return found?.[0] ?? null;
};

/** One body; shared shapes in it become references. */
export const bodySchema = (schema: z.ZodType, direction: Direction): JsonSchema => {
  const entity = entityBehindContext(schema);
  if (entity !== null) return { allOf: [{ $ref: reference('Context') }, { $ref: reference(entity) }] };
  const { body } = toJsonSchemas({ ...COMPONENTS, body: schema }, direction);
  if (body === undefined) throw new Error('zod made no JSON Schema of a body that it was given');
  return body;
};

export const errorSchema: JsonSchema = { $ref: reference('Error') };
