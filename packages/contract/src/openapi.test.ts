import { describe, expect, test } from 'bun:test';
import { z } from 'zod';
import { ERRORS } from './errors.ts';
import { EXAMPLES } from './openapi/examples.ts';
import { errorCodesOf, pathParameterNames } from './openapi/operation.ts';
import { openApiDocument } from './openapi.ts';
import type { Endpoint } from './rest/endpoint.ts';
import { ENDPOINT_NAMES, ENDPOINTS } from './rest/index.ts';

const document = openApiDocument({ serverUrl: 'https://lr.example', runAcceptedStatus: 200 });
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

test('every endpoint is an operation, once, under its name', () => {
  expect(operations.map(({ operation }) => operation.operationId).sort()).toEqual([...ENDPOINT_NAMES].sort());
  for (const { path, method, operation } of operations) {
    const endpoint = Object.entries(ENDPOINTS).find(([name]) => name === operation.operationId)?.[1];
    expect([endpoint?.path, endpoint?.method.toLowerCase()]).toEqual([path, method]);
  }
});

test('every parameter of a path is described, and no other', () => {
  for (const { path, operation } of operations) {
    const described = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
    expect(described).toEqual([...pathParameterNames(path)]);
  }
});

describe('every operation', () => {
  for (const name of ENDPOINT_NAMES) {
    const endpoint: Endpoint = ENDPOINTS[name];
    const operation = operations.find((one) => one.operation.operationId === name)?.operation;
    test(`${name} answers its success and each of its errors`, () => {
      const statuses = [endpoint.response.status, ...errorCodesOf(endpoint).map((code) => ERRORS[code].status)];
      expect(
        Object.keys(operation?.responses ?? {})
          .map(Number)
          .sort(),
      ).toEqual([...new Set(statuses)].sort());
      for (const code of errorCodesOf(endpoint)) {
        expect(operation?.responses[ERRORS[code].status]?.description).toContain(`${code}: ${ERRORS[code].meaning}`);
      }
    });
    test(`${name} asks for its permissions`, () => {
      const asked = new Set(operation?.security.flatMap((choice) => choice.oauth2 ?? []));
      expect(asked).toEqual(new Set<string>([...endpoint.permission.roles, ...endpoint.permission.scopes]));
    });
  }
});

test('the status of an accepted run is that of the profile', () => {
  const statusesOf = (runAcceptedStatus: 200 | 201) => {
    const { paths } = openApiDocument({ serverUrl: 'https://lr.example', runAcceptedStatus });
    return Object.keys(paths[ENDPOINTS.runLiveResponse.path]?.post?.responses ?? {}).filter((status) => status < '300');
  };
  expect([statusesOf(200), statusesOf(201)]).toEqual([['200'], ['201']]);
});

test('too many calls says when to come back', () => {
  for (const { operation } of operations) {
    expect(Object.keys(operation.responses[429]?.headers ?? {})).toEqual(['Retry-After']);
    expect(operation.responses[400]?.headers).toBeUndefined();
  }
});

test('every reference leads to a shape, and every shape is led to', () => {
  const text = JSON.stringify(document);
  const references = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
  expect(references).toEqual(new Set(Object.keys(document.components.schemas)));
  expect(text.match(/"\$ref":"(?!#\/components)/)).toBeNull();
});

test('answers may grow new keys: no shape forbids them', () => {
  expect(JSON.stringify(document)).not.toContain('additionalProperties":false');
});

describe('examples hold to the schemas that they are examples of', () => {
  for (const [name, { request, answer }] of Object.entries(EXAMPLES)) {
    test(name, () => {
      const endpoint: Endpoint | undefined = Object.entries(ENDPOINTS).find(([known]) => known === name)?.[1];
      if (endpoint?.request?.type === 'json') expect(endpoint.request.schema.parse(request)).toEqual(request);
      if (endpoint?.response.type !== 'json') throw new Error('an example of an answer that is not JSON');
      const { schema } = endpoint.response;
      // strict: an example with a key that the schema does not know would teach it
      expect(schema instanceof z.ZodObject ? schema.strict().parse(answer) : schema.parse(answer)).toEqual(answer);
    });
  }
});
