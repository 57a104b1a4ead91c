/**
 * The reference of the REST API as one page: no script, no request to anywhere, and a policy that allows neither. See
 * docs/adr/0002-reference-page-without-script.md.
 */
import { createHash } from 'node:crypto';
import type { OpenApiDocument } from '@longarm/contract/openapi/types';
import { html, raw } from 'hono/html';
import { methodView, operationAnchor, operationView, type PlacedOperation } from './reference-page/operation-view.ts';
import { type Html, schemaAnchor, schemaView } from './reference-page/schema-view.ts';
import { STYLE } from './reference-page/style.ts';
import { withCode } from './reference-page/with-code.ts';

export type ReferencePage = {
  readonly html: string;
  /** Value of the `Content-Security-Policy` header that the page has to be sent with. */
  readonly contentSecurityPolicy: string;
};

const policy = (): string => {
  const hash = createHash('sha256').update(STYLE).digest('base64');
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
};

const placedOperations = (document: OpenApiDocument): readonly PlacedOperation[] => {
  const serverUrl = document.servers[0]?.url ?? '';
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method, path, serverUrl, operation })),
  );
};

type Group = { readonly tag: string; readonly description: string; readonly operations: readonly PlacedOperation[] };

const groups = (document: OpenApiDocument): readonly Group[] => {
  const operations = placedOperations(document);
  return document.tags.map(({ name, description }) => ({
    tag: name,
    description,
    operations: operations.filter(({ operation }) => operation.tags.includes(name)),
  }));
};

const navigation = (document: OpenApiDocument): Html => html`<nav aria-label="Contents">
<a class="mark" href="#top">${document.info.title}</a><span class="version">${document.info.version}</span>
${groups(document).map(
  ({ tag, operations }) =>
    html`<h2>${tag}</h2><ul>${operations.map(
      ({ method, operation }) =>
        html`<li><a href="#${operationAnchor(operation)}">${methodView(method)}<span>${operation.summary}</span></a></li>`,
    )}</ul>`,
)}
<h2>Shapes</h2><ul>${Object.keys(document.components.schemas).map(
  (name) => html`<li><a class="plain" href="#${schemaAnchor(name)}">${name}</a></li>`,
)}</ul></nav>`;

const groupView = ({ tag, description, operations }: Group): Html =>
  html`<h2 class="group">${tag} <span>${description}</span></h2>${operations.map(operationView)}`;

const tokenCall = (serverUrl: string): string =>
  `TOKEN=$(curl -s "${serverUrl}/default/oauth2/v2.0/token" \\
  -d grant_type=client_credentials \\
  -d client_id=$CLIENT_ID --data-urlencode "client_secret=$CLIENT_SECRET" \\
  -d scope=${serverUrl}/.default | jq -r .access_token)`;

const introduction = (document: OpenApiDocument): Html => {
  const serverUrl = document.servers[0]?.url ?? '';
  return html`<header id="top"><h1>REST API reference</h1>
${document.info.description.split('\n\n').map((paragraph) => html`<p>${withCode(paragraph)}</p>`)}
<p class="server">This server is <code>${serverUrl}</code>. A token comes first:</p>
<pre tabindex="0"><code>${tokenCall(serverUrl)}</code></pre></header>`;
};

const shapes = (document: OpenApiDocument): Html => html`<h2 class="group">Shapes</h2>
${Object.entries(document.components.schemas).map(
  ([name, schema]) =>
    html`<section class="schema" id="${schemaAnchor(name)}"><h3>${name}</h3>${schemaView(schema)}</section>`,
)}`;

/** Everything in the page is escaped, but for the style, which is ours and fixed. */
export const referencePage = async (document: OpenApiDocument): Promise<ReferencePage> => {
  const page = await html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${document.info.title} REST API reference</title><style>${raw(STYLE)}</style></head>
<body>${navigation(document)}<main>${introduction(document)}
${groups(document).map(groupView)}
${shapes(document)}</main></body></html>`;
  return { html: String(page), contentSecurityPolicy: policy() };
};
