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

export const transferRoutes =
  (doors: TransferDoors) =>
  async (request: Request, path: string): Promise<Response | null> => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (path.startsWith('/results/') && isRead) return doors.sendResult(request);
    const [, fileAction, sha256] = FILE.exec(path) ?? [];
    if (fileAction !== undefined && sha256 !== undefined && isRead)
      return doors.sendLibraryFile(request, { actionId: fileAction, sha256 });
    const [, resultAction, index, stream] = RESULT.exec(path) ?? [];
    if (resultAction === undefined || index === undefined || stream === undefined) return null;
    return doors.receiveResult(request, { actionId: resultAction, index, stream });
  };
