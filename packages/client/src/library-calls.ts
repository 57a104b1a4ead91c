import type { LibraryFileEntity } from '@longarm/contract/library-file';
import { ENDPOINTS } from '@longarm/contract/rest/index';
import type { Corridor, CorridorIo } from './corridor.ts';
import { multipartBody } from './multipart-body.ts';
import { type CollectionOptions, eachItem } from './pages.ts';
import { resumedBytes } from './resumed-bytes.ts';

export type LibraryUpload = {
  readonly fileName: string;
  readonly sizeBytes: number;
  /** Opens the file from its start; called again where a call is repeated. */
  readonly openFile: () => ReadableStream<Uint8Array>;
  readonly description?: string;
  readonly parametersDescription?: string;
  /** Actions that name it wait for a second person; absent: as it is. */
  readonly requiresApproval?: boolean;
  /** Replaces a file of the same name; without it that is refused. */
  readonly override?: boolean;
  /** Author signatures of these bytes under this name. */
  readonly signatures?: readonly string[];
};

const uploadFields = (upload: LibraryUpload): [string, string][] => {
  const fields: [string, string][] = [['OverrideIfExists', String(upload.override === true)]];
  if (upload.description !== undefined) fields.push(['Description', upload.description]);
  if (upload.parametersDescription !== undefined) {
    fields.push(['HasParameters', 'true'], ['ParametersDescription', upload.parametersDescription]);
  }
  const { signatures = [] } = upload;
  if (signatures.length > 0) fields.push(['Signature', signatures.join('\n')]);
  if (upload.requiresApproval !== undefined) fields.push(['RequiresApproval', String(upload.requiresApproval)]);
  return fields;
};

/** Calls about the library. Each throws `ApiFailure`, `Unreachable` or `UnexpectedAnswer`. */
export const libraryCalls = (io: CorridorIo, corridor: Corridor) => ({
  listLibraryFiles: (query: CollectionOptions = {}): AsyncGenerator<LibraryFileEntity> =>
    eachItem((page) => corridor.sendJson(ENDPOINTS.listLibraryFiles, { query: page }), query),
  uploadLibraryFile: (upload: LibraryUpload): Promise<LibraryFileEntity> => {
    const form = {
      fields: uploadFields(upload),
      fileName: upload.fileName,
      fileSizeBytes: upload.sizeBytes,
      openFile: upload.openFile,
    };
    const body = multipartBody(form, `longarm-${io.world.randomId()}`);
    return corridor.sendJson(ENDPOINTS.uploadLibraryFile, { headers: body.headers, stream: body.open });
  },
  /** The raw bytes of a library file. */
  openLibraryFile: (fileName: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> => {
    const open = (offset: number) =>
      corridor.send(ENDPOINTS.downloadLibraryFile, {
        path: { fileName },
        headers: { 'accept-encoding': 'identity', ...(offset > 0 ? { range: `bytes=${offset}-` } : {}) },
        ...(signal === undefined ? {} : { signal }),
      });
    return resumedBytes({ open, world: io.world, origin: io.server.origin }, signal);
  },
  deleteLibraryFile: async (fileName: string): Promise<void> => {
    await corridor.send(ENDPOINTS.deleteLibraryFile, { path: { fileName } });
  },
});
