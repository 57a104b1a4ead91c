/** Adds a file to the library: bytes first, durable, then its name, in one unit with the audit. */
import { Refusal } from '@longarm/contract/errors';
import { fileNameFault } from '@longarm/contract/file-name';
import type { Limits } from '@longarm/contract/limits';
import { AUTHOR_SIGNATURES_PER_FILE, claimedBySignature } from '@longarm/contract/signing/author-signature';
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
  /** Null: as it was, or not. */
  readonly requiresApproval: boolean | null;
  readonly signatures: readonly string[];
};

const uploadRefusal = (fault: UploadFault, limits: Limits): Refusal => {
  if (fault.kind === 'too-long')
    return new Refusal('InvalidInput', `Expected a file of at most ${limits['library-mib']} MiB, got a longer one.`);
  return new Refusal('InternalServerError', `${fault.message} Free space on the server, and try again.`);
};

/** Why these signatures are not of this file, or null. Whose they are is for devices to judge. */
const signaturesFault = ({ name, blob, signatures }: LibraryUpload): string | null => {
  if (signatures.length > AUTHOR_SIGNATURES_PER_FILE)
    return `expected at most ${AUTHOR_SIGNATURES_PER_FILE} signatures of a file, got ${signatures.length}`;
  for (const signature of signatures) {
    const claim = claimedBySignature(signature);
    if (claim === null) return 'expected author signatures as `longarm library sign` makes them, got something else';
    if (claim.fileName !== name)
      return `expected a signature of ${JSON.stringify(name)}, got one of ${JSON.stringify(claim.fileName)}`;
    if (claim.sha256 !== blob.sha256 || claim.sizeBytes !== blob.sizeBytes)
      return `expected a signature of these bytes (SHA-256 ${blob.sha256}), got one of others (${claim.sha256}). Sign the file as it is now`;
  }
  return null;
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
  /** Throws InvalidInput for a signature of another file, and BadRequest whose sentence holds "already exists" when the name is taken. */
  save: async (caller: Caller, upload: LibraryUpload): Promise<LibraryFileRecord> => {
    const fault = signaturesFault(upload);
    if (fault !== null) throw new Refusal('InvalidInput', `Signature: ${fault}.`);
    const { blob, ...file } = upload;
    const saved = await io.library.save({
      ...file,
      ...blob,
      tenantId: caller.tenantId,
      createdBy: caller.name,
      origin: caller.origin,
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
