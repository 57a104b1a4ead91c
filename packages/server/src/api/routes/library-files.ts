import { Refusal } from '@longarm/contract/errors';
import { signatureLines } from '@longarm/contract/signing/author-signature';
import type { Caller } from '../../audit/ports.ts';
import { bodyOfLength } from '../../http/body-of-length.ts';
import { jsonAnswer } from '../../http/json-answer.ts';
import { readForm } from '../../http/read-form.ts';
import type { BlobStore, LibraryFileRecord, LibraryStore } from '../../library/ports.ts';
import type { UploadToLibrary } from '../../library/upload-library-file.ts';
import { contextOf, presentCollection } from '../present/context.ts';
import { presentLibraryFile } from '../present/present-library-file.ts';
import type { Route } from '../route.ts';

type LibraryIo = {
  readonly library: LibraryStore;
  readonly blobs: Pick<BlobStore, 'read'>;
  readonly now: () => number;
  readonly upload: UploadToLibrary;
};

export const listLibraryFilesRoute =
  (io: Pick<LibraryIo, 'library'>): Route =>
  async ({ caller, base }) => {
    const files = await io.library.list(caller.tenantId);
    return jsonAnswer(
      presentCollection(
        { context: contextOf(base, 'LibraryFiles'), count: null, nextLink: null },
        files.map(presentLibraryFile),
      ),
    );
  };

/** Form texts are `true`, `True`, `false`, …; absent is false. */
const truth = (fields: ReadonlyMap<string, string>, name: string): boolean => {
  const text = fields.get(name.toLowerCase())?.trim().toLowerCase() ?? 'false';
  if (text === 'true') return true;
  if (text === 'false' || text === '') return false;
  throw new Refusal('InvalidInput', `${name}: expected true or false, got ${JSON.stringify(text)}.`);
};

export const uploadLibraryFileRoute =
  (io: Pick<LibraryIo, 'upload'>): Route =>
  async ({ caller, request, base, keepOpen }) => {
    keepOpen();
    const { fields, file } = await readForm(request, ({ name, body }) => io.upload.takeBytes(name, body));
    if (file === null) throw new Refusal('MissingRequiredParameter', 'Expected a part File with a filename, got none.');
    const saved = await io.upload.save(caller, {
      name: file.name,
      blob: file.taken,
      description: fields.get('description') ?? null,
      parametersDescription: fields.get('parametersdescription') ?? null,
      hasParameters: truth(fields, 'HasParameters') || (fields.get('parametersdescription') ?? '') !== '',
      overrideIfExists: truth(fields, 'OverrideIfExists'),
      requiresApproval: fields.has('requiresapproval') ? truth(fields, 'RequiresApproval') : null,
      signatures: signatureLines(fields.get('signature') ?? ''),
    });
    return jsonAnswer({ '@odata.context': contextOf(base, 'LibraryFiles/$entity'), ...presentLibraryFile(saved) });
  };

const notThere = (name: string) =>
  new Refusal('ResourceNotFound', `File with name ${name} was not found in the library.`);

export const deleteLibraryFileRoute =
  (io: Pick<LibraryIo, 'library' | 'now'>): Route =>
  async ({ caller, params }) => {
    const name = params.fileName ?? '';
    const removed = await io.library.remove({
      tenantId: caller.tenantId,
      name,
      actor: caller.name,
      origin: caller.origin,
      now: io.now(),
    });
    if (!removed) throw notThere(name);
    return new Response(null, { status: 204 });
  };

const findFile = async (io: Pick<LibraryIo, 'library'>, caller: Caller, name: string): Promise<LibraryFileRecord> => {
  const file = await io.library.find(caller.tenantId, name);
  if (file === null) throw notThere(name);
  return file;
};

export const downloadLibraryFileRoute =
  (io: Pick<LibraryIo, 'library' | 'blobs'>): Route =>
  async ({ caller, params, keepOpen }) => {
    const file = await findFile(io, caller, params.fileName ?? '');
    keepOpen();
    return new Response(await bodyOfLength(io.blobs.read(file.sha256), file.sizeBytes), {
      headers: {
        'Content-Type': 'application/octet-stream',
        'Content-Length': String(file.sizeBytes),
        'Content-Disposition': `attachment; filename=${encodeURIComponent(file.name)}`,
        'Longarm-Sha256': file.sha256,
      },
    });
  };
