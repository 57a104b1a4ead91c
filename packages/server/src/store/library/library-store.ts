/** The library's names in the store. */
import { AUTHOR_SIGNATURES_PER_FILE } from '@longarm/contract/signing/author-signature';
import type { Kysely, Selectable } from 'kysely';
import type { LibraryFileRecord, LibraryStore, NewLibraryFile } from '../../library/ports.ts';
import type { LibraryFileRow, Schema } from '../schema.ts';
import type { UnitQueue } from '../unit-queue.ts';
import { writeAudit } from '../write-audit.ts';

const fileRecord = (row: Selectable<LibraryFileRow>): LibraryFileRecord => ({
  name: row.name,
  sha256: row.sha256,
  sizeBytes: row.size_bytes,
  description: row.description,
  parametersDescription: row.parameters_description,
  hasParameters: row.has_parameters === 1,
  signatures: JSON.parse(row.signatures),
  requiresApproval: row.requires_approval === 1,
  createdBy: row.created_by,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const findRow = (db: Kysely<Schema>, tenantId: LibraryFileRow['tenant_id'], name: string) =>
  db
    .selectFrom('library_files')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('name', '=', name)
    .executeTakeFirst();

/** The same bytes keep what was signed of them; a further signature comes last, and the oldest make room. */
const signaturesOf = (file: NewLibraryFile, known: Selectable<LibraryFileRow> | undefined): readonly string[] => {
  const kept: readonly string[] = known?.sha256 === file.sha256 ? JSON.parse(known.signatures) : [];
  return [...new Set([...kept, ...file.signatures])].slice(-AUTHOR_SIGNATURES_PER_FILE);
};

const saveFile = async (db: Kysely<Schema>, file: NewLibraryFile): Promise<LibraryFileRecord | null> => {
  const known = await findRow(db, file.tenantId, file.name);
  if (known !== undefined && !file.overrideIfExists) return null;
  const row: LibraryFileRow = {
    tenant_id: file.tenantId,
    name: file.name,
    sha256: file.sha256,
    size_bytes: file.sizeBytes,
    description: file.description,
    parameters_description: file.parametersDescription,
    has_parameters: file.hasParameters ? 1 : 0,
    created_by: known?.created_by ?? file.createdBy,
    created_at: known?.created_at ?? file.now,
    updated_at: file.now,
    signatures: JSON.stringify(signaturesOf(file, known)),
    requires_approval: (file.requiresApproval ?? known?.requires_approval === 1) ? 1 : 0,
  };
  await db
    .insertInto('library_files')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant_id', 'name']).doUpdateSet(row))
    .execute();
  await writeAudit(db, {
    tenantId: file.tenantId,
    at: file.now,
    actor: file.createdBy,
    origin: file.origin,
    event: known === undefined ? 'library.added' : 'library.replaced',
    subject: file.name,
    detail: {
      sha256: file.sha256,
      sizeBytes: file.sizeBytes,
      replaces: known?.sha256,
      ...(file.signatures.length === 0 ? {} : { signatures: file.signatures.length }),
    },
  });
  return fileRecord(row);
};

const removeFile = async (db: Kysely<Schema>, file: Parameters<LibraryStore['remove']>[0]): Promise<boolean> => {
  const known = await findRow(db, file.tenantId, file.name);
  if (known === undefined) return false;
  await db.deleteFrom('library_files').where('tenant_id', '=', file.tenantId).where('name', '=', file.name).execute();
  await writeAudit(db, {
    tenantId: file.tenantId,
    at: file.now,
    actor: file.actor,
    origin: file.origin,
    event: 'library.deleted',
    subject: file.name,
    detail: { sha256: known.sha256 },
  });
  return true;
};

export const libraryStore = (units: UnitQueue<Schema>, reader: Kysely<Schema>): LibraryStore => ({
  save: (file) => units.run((db) => saveFile(db, file)),
  remove: (file) => units.run((db) => removeFile(db, file)),
  find: async (tenantId, name) => {
    const row = await findRow(reader, tenantId, name);
    return row === undefined ? null : fileRecord(row);
  },
  list: async (tenantId) => {
    const rows = await reader
      .selectFrom('library_files')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .orderBy('name')
      .execute();
    return rows.map(fileRecord);
  },
});
