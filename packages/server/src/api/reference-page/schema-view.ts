/** A JSON Schema, shown as what a person wants to know of it: a type in words, and a table of properties. */
import type { JsonSchema } from '@longarm/contract/openapi/types';
import { html } from 'hono/html';

export type Html = ReturnType<typeof html>;

const REFERENCE = '#/components/schemas/';

export const schemaAnchor = (name: string): string => `schema-${name}`;

const referenceName = (schema: JsonSchema): string | null =>
  schema.$ref?.startsWith(REFERENCE) === true ? schema.$ref.slice(REFERENCE.length) : null;

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;

const join = (parts: readonly Html[], between: string): readonly (Html | string)[] =>
  parts.flatMap((part, index) => (index === 0 ? [part] : [between, part]));

/** The type in words; shared shapes are links. */
export const typeView = (schema: JsonSchema): Html => {
  const name = referenceName(schema);
  if (name !== null) return html`<a href="#${schemaAnchor(name)}">${name}</a>`;
  if (schema.allOf !== undefined) return html`${join(schema.allOf.map(typeView), ' and ')}`;
  if (schema.anyOf !== undefined) return html`${join(schema.anyOf.map(typeView), ' or ')}`;
  if (schema.enum !== undefined) return html`${schema.enum.map((value) => html`<code>${String(value)}</code> `)}`;
  if (schema.type === 'array') return html`list of ${isSchema(schema.items) ? typeView(schema.items) : 'anything'}`;
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? 'bytes'];
  return html`${types.join(' or ')}`;
};

/** Bounds, as short as they can be said. */
const bounds = (schema: JsonSchema): string =>
  [
    schema.minItems !== undefined && `at least ${schema.minItems}`,
    schema.maxItems !== undefined && `at most ${schema.maxItems}`,
    schema.minLength !== undefined && `${schema.minLength} characters or more`,
    schema.maxLength !== undefined && `up to ${schema.maxLength} characters`,
    schema.minimum !== undefined && `from ${schema.minimum}`,
    schema.pattern !== undefined && `as ${schema.pattern}`,
  ]
    .filter((text) => text !== false)
    .join(', ');

/** The object whose properties lie one step further in, or null. */
const innerObject = (schema: JsonSchema): JsonSchema | null => {
  if (schema.properties !== undefined) return schema;
  return isSchema(schema.items) && !Array.isArray(schema.items) ? innerObject(schema.items) : null;
};

const propertyRow = (name: string, schema: JsonSchema, isRequired: boolean): Html => {
  const inner = innerObject(schema);
  const note = [schema.description, bounds(schema)].filter((text) => text !== undefined && text !== '').join('; ');
  return html`<tr>
<td><code class="name">${name}</code>${isRequired ? '' : html` <span class="optional">optional</span>`}</td>
<td>${typeView(schema)}${note === '' ? '' : html`<div class="note">${note}</div>`}</td></tr>
${inner === null ? '' : html`<tr class="inner"><td colspan="2">${propertiesView(inner)}</td></tr>`}`;
};

/** The properties of an object as a table, objects in it as tables inside. */
const propertiesView = (schema: JsonSchema): Html => {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) =>
    isSchema(property) ? propertyRow(name, property, required.has(name)) : '',
  );
  return html`<table>${rows}</table>`;
};

/** A whole body: its properties where it has some, else its type. */
export const schemaView = (schema: JsonSchema): Html =>
  schema.properties === undefined
    ? html`<p class="type">${typeView(schema)}${bounds(schema) === '' ? '' : html` <span class="note">${bounds(schema)}</span>`}</p>`
    : propertiesView(schema);
