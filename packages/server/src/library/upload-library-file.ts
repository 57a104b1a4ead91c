/** Adds a file to the library: bytes first, durable, then its name, in one unit with the audit. */
import { Refusal } from '@longarm/contract/errors';
import { fileNameFault } from '@longarm/contract/file-name';
import type { Limits } from '@longarm/contract/limits';
import type { Caller } from '../audit/ports.ts';
import type { BlobStore, LibraryFileRecord, LibraryStore, StoredBlob } from './ports.ts';
import { UploadFault } from './ports.ts';

const MIB = 1_048_576;

type UploadIo = {
  readonly library: Pick<LibraryStore, 'save'>;
  readonly blobs: Pick<BlobStore, 'put'>;
  readonly now: () => number;
  readonly limits: Limits;
};

export type LibraryUpload = {
  readonly name: string;
  readonly blob: StoredBlob;
  readonly description: string | null;
  readonly parametersDescription: string | null;
  readonly hasParameters: boolean;
  readonly overrideIfExists: boolean;
};

const uploadRefusal = (fault: UploadFault, limits: Limits): Refusal => {
  if (fault.kind === 'too-long')
    return new Refusal('InvalidInput', `Expected a file of at most ${limits['library-mib']} MiB, got a longer one.`);
  return new Refusal('InternalServerError', `${fault.message} Free space on the server, and try again.`);
};

export const libraryUpload = (io: UploadIo) => ({
  /** Takes the bytes of a file of this name; nothing is left of what is refused. */
  takeBytes: async (name: string, body: ReadableStream<Uint8Array>): Promise<StoredBlob> => {
    const fault = fileNameFault(name);
    if (fault !== null) throw new Refusal('InvalidInput', `File: ${fault}.`);
    try {
      return await io.blobs.put(body, Math.floor(io.limits['library-mib'] * MIB));
    } catch (cause) {
      throw cause instanceof UploadFault ? uploadRefusal(cause, io.limits) : cause;
    }
  },
  /** Throws BadRequest whose sentence holds "already exists" when the name is taken. */
  save: async (caller: Caller, upload: LibraryUpload): Promise<LibraryFileRecord> => {
    const { blob, ...file } = upload;
    const saved = await io.library.save({
      ...file,
      ...blob,
      tenantId: caller.tenantId,
      createdBy: caller.name,
      now: io.now(),
    });
    if (saved === null) {
      throw new Refusal(
        'BadRequest',
        `File with name ${upload.name} already exists in the library. Give OverrideIfExists=true to replace it.`,
      );
    }
    return saved;
  },
});

export type UploadToLibrary = ReturnType<typeof libraryUpload>;
