import { jsonAnswer } from '../http/json-answer.ts';
import { StaleProof } from './transfer-gate.ts';

/** The paths of the data plane. Null for a request that is not one of its own. */
export type TransferDoors = {
  readonly sendLibraryFile: (
    request: Request,
    place: { readonly actionId: string; readonly sha256: string },
  ) => Promise<Response>;
  readonly receiveResult: (
    request: Request,
    place: { readonly actionId: string; readonly index: string; readonly stream: string },
  ) => Promise<Response | null>;
  readonly sendResult: (request: Request) => Promise<Response>;
};

const FILE = /^\/agent\/v1\/actions\/([^/]+)\/files\/([^/]+)$/;
const RESULT = /^\/agent\/v1\/actions\/([^/]+)\/commands\/([0-9]{1,5})\/results\/([^/]+)$/;

/** Too Early (RFC 8470): the same with a fresh proof may pass. */
const STALE = {
  error: { code: 'StaleProof', message: 'Expected a proof of now that was not shown before. Send a fresh one.' },
};

const orStale = async (answer: Promise<Response | null>): Promise<Response | null> => {
  try {
    return await answer;
  } catch (fault) {
    if (fault instanceof StaleProof) return jsonAnswer(STALE, 425);
    throw fault;
  }
};

export const transferRoutes =
  (doors: TransferDoors) =>
  async (request: Request, path: string): Promise<Response | null> => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (path.startsWith('/results/') && isRead) return doors.sendResult(request);
    const [, fileAction, sha256] = FILE.exec(path) ?? [];
    if (fileAction !== undefined && sha256 !== undefined && isRead)
      return orStale(doors.sendLibraryFile(request, { actionId: fileAction, sha256 }));
    const [, resultAction, index, stream] = RESULT.exec(path) ?? [];
    if (resultAction === undefined || index === undefined || stream === undefined) return null;
    return orStale(doors.receiveResult(request, { actionId: resultAction, index, stream }));
  };
