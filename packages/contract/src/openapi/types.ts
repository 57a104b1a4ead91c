/** The part of an OpenAPI 3.1 document that is made here. Source: https://spec.openapis.org/oas/v3.1.1.html */
import type { z } from 'zod';
import type { Permission } from '../permission.ts';

/** JSON Schema, draft 2020-12, as zod writes it. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

export type MediaType = { readonly schema: JsonSchema; readonly example?: unknown };
export type Content = Readonly<Record<string, MediaType>>;

export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description: string;
  readonly schema: JsonSchema;
};

export type Answer = {
  /** Of a failure: one line `code: meaning` for each code. */
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: JsonSchema }>>;
  readonly content?: Content;
};

export type Operation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  /** By status. */
  readonly responses: Readonly<Record<string, Answer>>;
  /** Any one of the roles (application) or of the scopes (delegated). */
  readonly 'x-permission': Permission;
  /** Names of the limits that count calls to it. */
  readonly 'x-limits': readonly string[];
};

export type PathItem = Readonly<Partial<Record<'get' | 'post' | 'delete', Operation>>>;

export type OpenApiDocument = {
  readonly openapi: '3.1.1';
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description: string;
    readonly license: { readonly name: string; readonly identifier: string };
  };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
};
