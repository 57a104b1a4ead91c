import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { ERRORS } from '@longarm/contract/errors';
import { openApiDocument } from '@longarm/contract/openapi';
import { errorCodesOf } from '@longarm/contract/openapi/operation';
import type { Content, OpenApiDocument, Parameter } from '@longarm/contract/openapi/types';
import { ENDPOINT_NAMES, ENDPOINTS } from '@longarm/contract/rest/index';
import { referencePage } from './reference-page.ts';

const document = openApiDocument({ serverUrl: 'https://lr.example', runAcceptedStatus: 200 });

/** Text of the page as a reader sees it. */
const readable = async (html: string): Promise<string> => {
  const texts: string[] = [];
  const rewriter = new HTMLRewriter().on('body', {
    text: ({ text }) => {
      texts.push(text);
    },
  });
  await rewriter.transform(new Response(html)).text();
  const escapes = { '&lt;': '<', '&gt;': '>', '&#39;': "'", '&quot;': '"', '&amp;': '&' };
  return Object.entries(escapes).reduce((text, [escaped, plain]) => text.replaceAll(escaped, plain), texts.join(''));
};

const elements = async (
  html: string,
): Promise<readonly { name: string; attributes: readonly [string, string][] }[]> => {
  const found: { name: string; attributes: [string, string][] }[] = [];
  const rewriter = new HTMLRewriter().on('*', {
    element: (element) =>
      void found.push({
        name: element.tagName,
        attributes: [...element.attributes].map(([name = '', value = '']): [string, string] => [name, value]),
      }),
  });
  await rewriter.transform(new Response(html)).text();
  return found;
};

test('shows every endpoint with its path, permission and errors', async () => {
  const { html } = await referencePage(document);
  const text = await readable(html);
  const missing = ENDPOINT_NAMES.flatMap((name) => {
    const { summary, path, permission } = ENDPOINTS[name];
    const errors = errorCodesOf(ENDPOINTS[name]).map((code) => `${code} ${ERRORS[code].meaning}`);
    return [summary, path, ...permission.roles, ...permission.scopes, ...errors].filter((part) => !text.includes(part));
  });
  expect(missing).toEqual([]);
});

test('every link of the page leads to a place in it', async () => {
  const found = await elements((await referencePage(document)).html);
  const attribute = (name: string): readonly string[] =>
    found.flatMap(({ attributes }) => attributes.filter(([key]) => key === name).map(([, value]) => value));
  const ids = attribute('id');
  expect(new Set(ids).size).toBe(ids.length);
  for (const href of attribute('href')) expect(ids.map((id) => `#${id}`)).toContain(href);
});

describe('nothing in it can run or load', () => {
  test('the policy allows its one style, by hash, and nothing else', async () => {
    const { html, contentSecurityPolicy } = await referencePage(document);
    const [, style = '', ...more] = html.split('<style>').flatMap((part) => part.split('</style>'));
    expect(more).toHaveLength(1);
    const hash = createHash('sha256').update(style).digest('base64');
    expect(contentSecurityPolicy.split('; ').sort()).toEqual(
      [
        `style-src 'sha256-${hash}'`,
        "base-uri 'none'",
        "default-src 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ].sort(),
    );
  });

  test('hostile text stays text', async () => {
    const hostile = `"><img src=x onerror=alert(1)><script>alert(2)</script>'`;
    const [path = '', item] = Object.entries(document.paths)[0] ?? [];
    const operation = item?.post;
    if (operation === undefined) throw new Error('expected the first path to have a POST');
    const parameter: Parameter = {
      name: hostile,
      in: 'query',
      required: false,
      description: hostile,
      schema: { type: 'string', enum: [hostile] },
    };
    const content: Content = {
      [hostile]: {
        schema: { type: 'object', properties: { [hostile]: { description: hostile } } },
        example: { [hostile]: hostile },
      },
    };
    const poisoned: OpenApiDocument = {
      ...document,
      info: { ...document.info, title: hostile, description: hostile, version: hostile },
      servers: [{ url: hostile }],
      tags: [{ name: hostile, description: hostile }],
      components: { ...document.components, schemas: { [hostile]: { description: hostile } } },
      paths: {
        [`${path}${hostile}`]: {
          post: {
            ...operation,
            operationId: hostile,
            tags: [hostile],
            summary: hostile,
            description: hostile,
            parameters: [parameter],
            requestBody: { required: true, content },
            responses: { 200: { description: hostile, content }, 400: { description: hostile } },
            'x-limits': [hostile],
          },
        },
      },
    };
    const found = await elements((await referencePage(poisoned)).html);
    expect(found.map(({ name }) => name)).not.toContain('script');
    expect(found.map(({ name }) => name)).not.toContain('img');
    const known = ['charset', 'class', 'colspan', 'content', 'href', 'id', 'lang', 'name', 'tabindex', 'aria-label'];
    for (const { attributes } of found) for (const [name] of attributes) expect(known).toContain(name);
  });
});
