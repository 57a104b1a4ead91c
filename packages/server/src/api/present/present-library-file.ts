import { formatInstant } from '@longarm/contract/instant';
import type { LibraryFileEntity } from '@longarm/contract/library-file';
import type { LibraryFileRecord } from '../../library/ports.ts';

/** A library file as the API shows it. */
export const presentLibraryFile = (file: LibraryFileRecord): LibraryFileEntity => ({
  fileName: file.name,
  sha256: file.sha256,
  description: file.description,
  creationTime: formatInstant(file.createdAt),
  lastUpdatedTime: formatInstant(file.updatedAt),
  createdBy: file.createdBy,
  hasParameters: file.hasParameters,
  parametersDescription: file.parametersDescription,
  sizeBytes: file.sizeBytes,
  requiresApproval: file.requiresApproval,
});
