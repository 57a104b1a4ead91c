/**
 * The REST API as an OpenAPI 3.1 document, made from the table of endpoints alone. Source of the form:
 * https://spec.openapis.org/oas/v3.1.1.html. docs/api/openapi.json is this, committed and checked for drift.
 */
import { operationOf, SECURITY_SCHEME } from './openapi/operation.ts';
import { componentSchemas } from './openapi/schemas.ts';
import type { OpenApiDocument, PathItem } from './openapi/types.ts';
import { ROLES, SCOPES } from './permission.ts';
import type { Endpoint } from './rest/endpoint.ts';
import { ENDPOINT_NAMES, ENDPOINTS, type EndpointName } from './rest/index.ts';
import { VERSION } from './version.ts';

const DESCRIPTION = `Run sequences of commands on devices that you own, and get back what happened.

Paths match in any case, and \`/api/v1.0\` stands for \`/api\`. Every failure is a JSON body with \`error.code\`,
\`error.message\` and \`error.target\`, which is the id of the request in the server's log.

Moments are UTC with seven fraction digits. Lists take OData query options.`;

const METHODS = { GET: 'get', POST: 'post', DELETE: 'delete' } as const satisfies Record<Endpoint['method'], string>;

/** In the order of reading. */
const TAGS: Readonly<Record<Endpoint['tag'], string>> = {
  'Live response': 'Run commands on a device and fetch what they left.',
  'Machine actions': 'What was asked for, and how far it is.',
  Library: 'Scripts and files that commands may name.',
  Machines: 'The devices that enrolled.',
  Neighbours: 'Answered so that clients of the original connect; nothing is collected or done here.',
};

export type OpenApiOptions = {
  /** Address of the server, without a slash at its end. */
  readonly serverUrl: string;
  /** Status of an accepted runliveresponse: it depends on the limit profile. */
  readonly runAcceptedStatus: 200 | 201;
};

const paths = (runAcceptedStatus: number): Readonly<Record<string, PathItem>> => {
  const items: Record<string, PathItem> = {};
  for (const name of ENDPOINT_NAMES) {
    const endpoint: Endpoint = ENDPOINTS[name];
    const status = name === ('runLiveResponse' satisfies EndpointName) ? runAcceptedStatus : endpoint.response.status;
    items[endpoint.path] = { ...items[endpoint.path], [METHODS[endpoint.method]]: operationOf(name, endpoint, status) };
  }
  return items;
};

const securitySchemes = (serverUrl: string) => ({
  [SECURITY_SCHEME]: {
    type: 'oauth2',
    description: 'A token for one tenant; `default` in the address stands for the first tenant.',
    flows: {
      clientCredentials: {
        tokenUrl: `${serverUrl}/default/oauth2/v2.0/token`,
        scopes: Object.fromEntries([...new Set<string>([...ROLES, ...SCOPES])].map((name) => [name, name])),
      },
    },
  },
});

/** Plain data: the same options give the same document. */
export const openApiDocument = ({ serverUrl, runAcceptedStatus }: OpenApiOptions): OpenApiDocument => ({
  openapi: '3.1.1',
  info: {
    title: 'Longarm',
    version: VERSION,
    description: DESCRIPTION,
    license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: serverUrl }],
  tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
  paths: paths(runAcceptedStatus),
  components: { schemas: componentSchemas(), securitySchemes: securitySchemes(serverUrl) },
});
