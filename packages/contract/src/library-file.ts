/** The library file entity on the wire. Source: wire contract 1.8. */
import { z } from 'zod';
import { InstantText } from './instant.ts';

export const LibraryFileEntity = z.object({
  fileName: z.string(),
  sha256: z.string(),
  description: z.string().nullable(),
  creationTime: InstantText,
  lastUpdatedTime: InstantText,
  createdBy: z.string(),
  hasParameters: z.boolean(),
  parametersDescription: z.string().nullable(),
  sizeBytes: z.int(),
  requiresApproval: z.boolean().describe('actions that name it wait for a second person'),
});
export type LibraryFileEntity = z.infer<typeof LibraryFileEntity>;
