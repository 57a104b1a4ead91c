/** The table of endpoints. Server routes are a Record over it, so a new one does not compile until it is served. */
import type { Endpoint } from './endpoint.ts';
import { deleteLibraryFile, downloadLibraryFile, listLibraryFiles, uploadLibraryFile } from './library-files.ts';
import {
  approveMachineAction,
  cancelMachineAction,
  denyMachineAction,
  getMachineAction,
  getPackageUri,
  getResultLink,
  listMachineActions,
  watchMachineAction,
} from './machine-actions.ts';
import {
  changeMachineTags,
  findMachinesByIp,
  findMachinesByTag,
  getMachine,
  listLogonUsers,
  listMachines,
} from './machines.ts';
import { listAlerts, listIndicators, listMachineGroups, unsupportedAction } from './neighbours.ts';
import { runLiveResponse } from './run-live-response.ts';
import { watchCommandOutput } from './watch-command-output.ts';

/** In order of matching: the first whose method and path fit is taken. */
export const ENDPOINTS = {
  runLiveResponse,
  listMachineActions,
  getResultLink,
  watchMachineAction,
  watchCommandOutput,
  cancelMachineAction,
  approveMachineAction,
  denyMachineAction,
  getPackageUri,
  getMachineAction,
  listLibraryFiles,
  uploadLibraryFile,
  downloadLibraryFile,
  deleteLibraryFile,
  listMachines,
  findMachinesByIp,
  findMachinesByTag,
  changeMachineTags,
  listLogonUsers,
  unsupportedAction,
  getMachine,
  listAlerts,
  listIndicators,
  listMachineGroups,
} as const satisfies Record<string, Endpoint>;

export type EndpointName = keyof typeof ENDPOINTS;
export const ENDPOINT_NAMES = Object.keys(ENDPOINTS) as readonly EndpointName[];
