/** The local admin door: POST /<operation> with a JSON body, over a Unix socket or within the process. */
import {
  ADMIN_OPERATIONS,
  type AdminAnswer,
  type AdminDoor,
  type AdminOperation,
  type AdminRequest,
} from '@longarm/contract/admin/operations';
import { Refusal } from '@longarm/contract/errors';
import { JSON_BODY_BYTES } from '@longarm/contract/limits';
import { ErrorBody } from '@longarm/contract/rest/shapes';
import { errorAnswer, type FaultLog } from '../http/error-answer.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { readBody } from '../http/read-body.ts';
import type { AdminOperations } from './admin-operations.ts';

const isOperation = (name: string): name is AdminOperation => Object.hasOwn(ADMIN_OPERATIONS, name);

/** Reads the request with the contract and answers it. */
const perform = async <Name extends AdminOperation>(
  operations: AdminOperations,
  name: Name,
  body: unknown,
): Promise<AdminAnswer<Name>> => {
  const parsed = ADMIN_OPERATIONS[name].request.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Refusal('InvalidInput', `${issue?.path.join('.')}: ${issue?.message}.`);
  }
  // the table ties each name's schema to its operation; the compiler cannot follow that through a generic name
  return operations[name](parsed.data as AdminRequest<Name>);
};

/** Serves the socket. */
export const adminHandler =
  (operations: AdminOperations, onFault: FaultLog) =>
  async (request: Request): Promise<Response> => {
    try {
      const name = new URL(request.url).pathname.slice(1);
      if (!isOperation(name)) throw new Refusal('NotFound', `There is no admin operation ${name}.`);
      return jsonAnswer(await perform(operations, name, JSON.parse(await readBody(request, JSON_BODY_BYTES))));
    } catch (fault) {
      return errorAnswer(fault, 'admin', onFault);
    }
  };

/** The same operations without a socket. */
export const directDoor = (operations: AdminOperations, close: () => Promise<void>): AdminDoor => ({
  call: (name, request) => perform(operations, name, request),
  close,
});

const refusalOf = (body: unknown): Refusal => {
  const { error } = ErrorBody.safeParse(body).data ?? {};
  return new Refusal(error?.code ?? 'InternalServerError', error?.message ?? 'The server did not say why.');
};

/** Through the socket of the server that holds the folder. */
export const socketDoor = (socketPath: string): AdminDoor => ({
  call: async (name, request) => {
    const response = await fetch(`http://localhost/${name}`, {
      method: 'POST',
      body: JSON.stringify(request),
      unix: socketPath,
    });
    const body = await response.json();
    if (!response.ok) throw refusalOf(body);
    // the schema of this name gives the answer of this name; see perform
    return ADMIN_OPERATIONS[name].answer.parse(body) as AdminAnswer<typeof name>;
  },
  close: () => Promise.resolve(),
});
