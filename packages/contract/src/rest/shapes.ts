/** Envelopes that several answers share. Source: wire contract 1.5, 1.12. */
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../errors.ts';

export const ErrorBody = z.object({
  error: z.object({
    code: z.enum(ERROR_CODES as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    target: z.string().describe('id of the request, to be found in the server log'),
  }),
});
export type ErrorBody = z.infer<typeof ErrorBody>;

const context = { '@odata.context': z.string() };

/** An entity behind its context. */
export const entity = <Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>) =>
  z.object(context).extend(schema.shape);

/** One page of a collection. */
export const collection = <Item extends z.ZodType>(item: Item) =>
  z.object({
    ...context,
    '@odata.count': z.int().optional(),
    value: z.array(item),
    '@odata.nextLink': z.string().optional(),
  });

/** A single text, as the original wraps it. */
export const TextValue = z.object({ ...context, value: z.string() });
export type TextValue = z.infer<typeof TextValue>;

/** The query options of a collection. */
export const COLLECTION_QUERY = [
  {
    name: '$filter',
    required: false,
    description: 'eq ne gt ge lt le in, and or not, startswith endswith contains, any()',
  },
  { name: '$orderby', required: false, description: 'property, or property desc; several by comma' },
  { name: '$top', required: false, description: 'at most this many rows, up to 10000' },
  { name: '$skip', required: false, description: 'leave out this many rows' },
  { name: '$count', required: false, description: 'true adds @odata.count' },
  { name: '$select', required: false, description: 'answer with these properties only' },
] as const;
