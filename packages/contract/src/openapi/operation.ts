/** One endpoint → one operation of OpenAPI. */
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { Permission } from '../permission.ts';
import type { Endpoint, RateClass } from '../rest/endpoint.ts';
import { UNSUPPORTED_ACTIONS } from '../rest/neighbours.ts';
import { bodyExample } from './examples.ts';
import { bodySchema, errorSchema } from './schemas.ts';
import type { Answer, Content, JsonSchema, Operation, Parameter } from './types.ts';

export const SECURITY_SCHEME = 'oauth2';

const LIMITS: Readonly<Record<RateClass, readonly string[]>> = {
  run: ['runs-per-minute'],
  read: ['reads-per-minute', 'reads-per-hour'],
  none: [],
};

const PATH_PARAMETERS: Readonly<Record<string, { readonly description: string; readonly schema: JsonSchema }>> = {
  id: { description: 'id; a machine also by DNS name or aadDeviceId', schema: { type: 'string' } },
  index: { description: 'index of the command in its action, from 0', schema: { type: 'integer', minimum: 0 } },
  fileName: { description: 'name in the library', schema: { type: 'string' } },
  ip: { description: "address in single quotes: '10.0.0.5'", schema: { type: 'string' } },
  timestamp: { description: 'moment within the last 30 days, UTC', schema: { type: 'string', format: 'date-time' } },
  action: {
    description: 'a machine action of the original',
    schema: { type: 'string', enum: [...UNSUPPORTED_ACTIONS] },
  },
};

/** Names in a path template, in order: `/a/{id}/b(index={index})` → id, index. */
export const pathParameterNames = (path: string): readonly string[] =>
  [...path.matchAll(/\{([A-Za-z]+)\}/g)].map(([, name = '']) => name);

const pathParameter = (name: string): Parameter => {
  const known = PATH_PARAMETERS[name];
  if (known === undefined) throw new Error(`the path parameter ${name} has no description in openapi/operation.ts`);
  return { name, in: 'path', required: true, ...known };
};

const parameters = ({ path, query = [], headers = [] }: Endpoint): readonly Parameter[] => {
  const text = { schema: { type: 'string' } } as const;
  return [
    ...pathParameterNames(path).map(pathParameter),
    ...query.map((option): Parameter => ({ ...option, in: 'query', ...text })),
    ...headers.map((option): Parameter => ({ ...option, in: 'header', ...text })),
  ];
};

type FormRequest = Extract<NonNullable<Endpoint['request']>, { readonly type: 'form' }>;

/** A part is a file where its name says so; the others are texts. */
const formSchema = ({ parts }: FormRequest): JsonSchema => ({
  type: 'object',
  properties: Object.fromEntries(
    parts.map(({ name, description }) => {
      const file: JsonSchema = { contentMediaType: 'application/octet-stream', description };
      return [name, name === 'File' ? file : { type: 'string', description }];
    }),
  ),
  required: parts.filter(({ required }) => required).map(({ name }) => name),
});

const requestContent = (name: string, request: NonNullable<Endpoint['request']>): Content =>
  request.type === 'form'
    ? { 'multipart/form-data': { schema: formSchema(request) } }
    : { 'application/json': { schema: bodySchema(request.schema, 'request'), ...bodyExample(name, 'request') } };

const successContent = (name: string, { response }: Endpoint): Content | null => {
  switch (response.type) {
    case 'json':
      return { 'application/json': { schema: bodySchema(response.schema, 'answer'), ...bodyExample(name, 'answer') } };
    case 'file':
      return { 'application/octet-stream': { schema: {} } };
    case 'events':
      return { 'text/event-stream': { schema: { type: 'string' } } };
    case 'empty':
      return null;
  }
};

const needsPermission = ({ roles, scopes }: Permission): boolean => roles.length + scopes.length > 0;

/** Codes of its own, and those that go without saying. */
export const errorCodesOf = ({ errors, permission }: Endpoint): readonly ErrorCode[] => [
  ...errors,
  'Unauthorized',
  ...(needsPermission(permission) ? (['Forbidden'] as const) : []),
  'TooManyRequests',
  'InternalServerError',
];

const errorAnswers = (endpoint: Endpoint): Readonly<Record<string, Answer>> => {
  const answers: Record<string, Answer> = {};
  for (const code of errorCodesOf(endpoint)) {
    const { status, meaning } = ERRORS[code];
    const before = answers[status]?.description;
    const line = `${code}: ${meaning}`;
    answers[status] = {
      description: before === undefined ? line : `${before}\n${line}`,
      ...(status === 429 && {
        headers: { 'Retry-After': { description: 'whole seconds', schema: { type: 'integer', minimum: 0 } } },
      }),
      content: { 'application/json': { schema: errorSchema } },
    };
  }
  return answers;
};

// each entry of `security` is enough by itself, and so is each role
const security = ({ roles, scopes }: Permission): Operation['security'] => {
  const names = [...new Set<string>([...roles, ...scopes])];
  return names.length === 0 ? [{ [SECURITY_SCHEME]: [] }] : names.map((name) => ({ [SECURITY_SCHEME]: [name] }));
};

/** `status` is that of its success: it may depend on the limit profile. */
export const operationOf = (name: string, endpoint: Endpoint, status: number): Operation => {
  const { tag, summary, description, permission, rate, request, response } = endpoint;
  const content = successContent(name, endpoint);
  return {
    operationId: name,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    security: security(permission),
    parameters: parameters(endpoint),
    ...(request !== undefined && { requestBody: { required: true, content: requestContent(name, request) } }),
    responses: {
      [status]: { description: response.description, ...(content !== null && { content }) },
      ...errorAnswers(endpoint),
    },
    'x-permission': permission,
    'x-limits': LIMITS[rate],
  };
};
