import { LibraryFileEntity } from '../library-file.ts';
import { PERMISSIONS } from '../permission.ts';
import type { Endpoint } from './endpoint.ts';
import { collection, entity } from './shapes.ts';

export const listLibraryFiles = {
  method: 'GET',
  path: '/api/libraryfiles',
  tag: 'Library',
  summary: 'List library files',
  permission: PERMISSIONS.libraryRead,
  subject: 'library',
  rate: 'read',
  response: { status: 200, type: 'json', schema: collection(LibraryFileEntity), description: 'all files' },
  errors: [],
} as const satisfies Endpoint;

export const uploadLibraryFile = {
  method: 'POST',
  path: '/api/libraryfiles',
  tag: 'Library',
  summary: 'Upload a file to the library',
  permission: PERMISSIONS.library,
  subject: 'library',
  rate: 'read',
  request: {
    type: 'form',
    parts: [
      { name: 'File', required: true, description: 'the file; its name is the filename of the part' },
      { name: 'Description', required: false, description: 'text' },
      { name: 'ParametersDescription', required: false, description: 'text' },
      { name: 'HasParameters', required: false, description: 'true or false' },
      { name: 'OverrideIfExists', required: false, description: 'true or false' },
      {
        name: 'Signature',
        required: false,
        description: 'beyond the original: author signatures of the file, one a line',
      },
      {
        name: 'RequiresApproval',
        required: false,
        description: 'beyond the original: true or false; absent: as it is',
      },
    ],
  },
  response: { status: 200, type: 'json', schema: entity(LibraryFileEntity), description: 'the file' },
  errors: ['BadRequest', 'InvalidRequestBody', 'InvalidInput', 'MissingRequiredParameter'],
} as const satisfies Endpoint;

export const deleteLibraryFile = {
  method: 'DELETE',
  path: '/api/libraryfiles/{fileName}',
  tag: 'Library',
  summary: 'Delete a library file',
  permission: PERMISSIONS.library,
  subject: 'library',
  rate: 'read',
  response: { status: 204, type: 'empty', description: 'deleted; actions that pinned it keep it' },
  errors: ['ResourceNotFound'],
} as const satisfies Endpoint;

export const downloadLibraryFile = {
  method: 'GET',
  path: '/api/libraryfiles/{fileName}/content',
  tag: 'Library',
  summary: 'Download a library file',
  description: 'Beyond the original.',
  permission: PERMISSIONS.libraryRead,
  subject: 'library',
  rate: 'read',
  response: { status: 200, type: 'file', description: 'the raw bytes' },
  errors: ['ResourceNotFound'],
} as const satisfies Endpoint;
