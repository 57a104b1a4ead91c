/** One endpoint of the reference page: what it does, who may call it, what goes in and what comes out. */
import type { Answer, Content, MediaType, Operation, Parameter } from '@longarm/contract/openapi/types';
import { html } from 'hono/html';
import { jsonView } from './json-view.ts';
import { type Html, schemaView, typeView } from './schema-view.ts';
import { withCode } from './with-code.ts';

/** An operation and where it is found. */
export type PlacedOperation = {
  readonly method: string;
  readonly path: string;
  readonly serverUrl: string;
  readonly operation: Operation;
};

export const operationAnchor = (operation: Operation): string => `operation-${operation.operationId}`;

/** A path with its parameters set apart, and places to break a long one. */
const pathView = (path: string): Html => {
  const parts = path
    .split(/(\{[A-Za-z]+\})/)
    .map((part) =>
      part.startsWith('{')
        ? html`<em>${part}</em>`
        : html`${part.split('/').flatMap((text, index) => (index === 0 ? [text] : [html`<wbr>/`, text]))}`,
    );
  return html`<code class="path">${parts}</code>`;
};

export const methodView = (method: string): Html => html`<span class="method ${method}">${method.toUpperCase()}</span>`;

const chips = (title: string, names: readonly string[]): Html =>
  names.length === 0 ? html`` : html`<dt>${title}</dt><dd>${names.map((name) => html`<code>${name}</code> `)}</dd>`;

const permissionView = (operation: Operation): Html => {
  const { roles, scopes } = operation['x-permission'];
  const isOpen = roles.length + scopes.length === 0;
  return html`<dl class="facts">
${isOpen ? html`<dt>Permission</dt><dd>any valid token</dd>` : ''}
${chips(roles.length > 1 ? 'Any role of' : 'Role', roles)}
${chips(scopes.length > 1 ? 'Or scope of' : 'Or scope', scopes)}
${chips('Counted by', operation['x-limits'])}</dl>`;
};

const parameterRow = (parameter: Parameter): Html => html`<tr>
<td><code class="name">${parameter.name}</code>${parameter.required ? '' : html` <span class="optional">optional</span>`}</td>
<td><span class="place">${parameter.in}</span> ${typeView(parameter.schema)}<div class="note">${parameter.description}</div></td></tr>`;

const parametersView = ({ parameters }: Operation): Html =>
  parameters.length === 0 ? html`` : html`<h4>Parameters</h4><table>${parameters.map(parameterRow)}</table>`;

const firstMedia = (content: Content | undefined): readonly [string, MediaType] | null =>
  Object.entries(content ?? {})[0] ?? null;

const bodyView = (title: string, note: string, content: Content | undefined): Html => {
  const media = firstMedia(content);
  return html`<h4>${title}${media === null ? '' : html` <span class="media">${media[0]}</span>`}</h4>
<p class="note">${note}</p>${media === null ? '' : schemaView(media[1].schema)}`;
};

const isSuccess = (status: string): boolean => status.startsWith('2');

const answers = (
  operation: Operation,
): { readonly success: readonly [string, Answer]; readonly errors: readonly [string, Answer][] } => {
  const all = Object.entries(operation.responses);
  const success = all.find(([status]) => isSuccess(status));
  if (success === undefined) throw new Error(`${operation.operationId} has no answer of success`);
  return { success, errors: all.filter(([status]) => !isSuccess(status)) };
};

const errorsView = (errors: readonly [string, Answer][]): Html => {
  const line = (text: string): Html => {
    const [code = '', ...meaning] = text.split(': ');
    return html`<li><code>${code}</code> ${meaning.join(': ')}</li>`;
  };
  const rows = errors.map(
    ([status, { description }]) =>
      html`<tr><td><span class="status">${status}</span></td><td><ul>${description.split('\n').map(line)}</ul></td></tr>`,
  );
  return html`<details><summary>Errors</summary><table class="errors">${rows}</table></details>`;
};

/** A call that can be pasted into a shell once its parameters are filled in. */
const callOf = ({ method, path, serverUrl, operation }: PlacedOperation): string => {
  const content = firstMedia(operation.requestBody?.content);
  const body =
    content === null ? [] : content[0] === 'multipart/form-data' ? ["-F 'File=@triage.sh'"] : ['-d @body.json'];
  const verb = method === 'get' || (method === 'post' && body.length > 0) ? [] : [`-X ${method.toUpperCase()}`];
  return ['curl', ...verb, `-H "Authorization: Bearer $TOKEN"`, ...body, `"${serverUrl}${path}"`].join(' \\\n  ');
};

const exampleView = (title: string, content: Content | undefined): Html => {
  const example = firstMedia(content)?.[1].example;
  return example === undefined ? html`` : html`<h5>${title}</h5>${jsonView(example)}`;
};

export const operationView = (placed: PlacedOperation): Html => {
  const { operation, method, path } = placed;
  const { success, errors } = answers(operation);
  const [status, answer] = success;
  const request = operation.requestBody?.content;
  return html`<section class="operation" id="${operationAnchor(operation)}">
<h3><a href="#${operationAnchor(operation)}">${operation.summary}</a></h3>
<p class="call">${methodView(method)} ${pathView(path)}</p>
${operation.description === undefined ? '' : html`<p>${withCode(operation.description)}</p>`}
<div class="columns"><div>
${permissionView(operation)}
${parametersView(operation)}
${request === undefined ? '' : bodyView('Request', '', request)}
${bodyView(`Answer ${status}`, answer.description, answer.content)}
${errorsView(errors)}
</div><div class="examples">
<h5>Call</h5><pre tabindex="0"><code>${callOf(placed)}</code></pre>
${exampleView('Request', request)}
${exampleView(`Answer ${status}`, answer.content)}
</div></div></section>`;
};
