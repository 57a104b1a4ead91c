/** Every endpoint of the contract and the route that serves it: a new endpoint does not compile until it is here. */
import type { EndpointName } from '@longarm/contract/rest/index';
import type { Route } from './route.ts';
import {
  deleteLibraryFileRoute,
  downloadLibraryFileRoute,
  listLibraryFilesRoute,
  uploadLibraryFileRoute,
} from './routes/library-files.ts';
import {
  cancelMachineActionRoute,
  decideMachineActionRoute,
  getMachineActionRoute,
  getPackageUriRoute,
  getResultLinkRoute,
  listMachineActionsRoute,
} from './routes/machine-actions.ts';
import {
  changeMachineTagsRoute,
  findMachinesByIpRoute,
  findMachinesByTagRoute,
  getMachineRoute,
  listLogonUsersRoute,
  listMachinesRoute,
} from './routes/machines.ts';
import { emptyCollectionRoute, unsupportedActionRoute } from './routes/neighbours.ts';
import { runLiveResponseRoute } from './routes/run-live-response.ts';
import { watchCommandOutputRoute } from './routes/watch-command-output.ts';
import { watchMachineActionRoute } from './routes/watch-machine-action.ts';

type Io<Make extends (io: never) => Route> = Parameters<Make>[0];

type RoutesIo = Io<typeof runLiveResponseRoute> &
  Io<typeof listMachineActionsRoute> &
  Io<typeof getResultLinkRoute> &
  Io<typeof watchMachineActionRoute> &
  Io<typeof watchCommandOutputRoute> &
  Io<typeof cancelMachineActionRoute> &
  Parameters<typeof decideMachineActionRoute>[0] &
  Io<typeof changeMachineTagsRoute> &
  Io<typeof uploadLibraryFileRoute> &
  Io<typeof deleteLibraryFileRoute> &
  Io<typeof downloadLibraryFileRoute>;

export const apiRoutes = (io: RoutesIo): Readonly<Record<EndpointName, Route>> => ({
  runLiveResponse: runLiveResponseRoute(io),
  listMachineActions: listMachineActionsRoute(io),
  getMachineAction: getMachineActionRoute(io),
  watchMachineAction: watchMachineActionRoute(io),
  watchCommandOutput: watchCommandOutputRoute(io),
  getResultLink: getResultLinkRoute(io),
  cancelMachineAction: cancelMachineActionRoute(io),
  approveMachineAction: decideMachineActionRoute(io, 'approve'),
  denyMachineAction: decideMachineActionRoute(io, 'deny'),
  getPackageUri: getPackageUriRoute(io),
  listLibraryFiles: listLibraryFilesRoute(io),
  uploadLibraryFile: uploadLibraryFileRoute(io),
  downloadLibraryFile: downloadLibraryFileRoute(io),
  deleteLibraryFile: deleteLibraryFileRoute(io),
  listMachines: listMachinesRoute(io),
  getMachine: getMachineRoute(io),
  findMachinesByIp: findMachinesByIpRoute(io),
  findMachinesByTag: findMachinesByTagRoute(io),
  changeMachineTags: changeMachineTagsRoute(io),
  listLogonUsers: listLogonUsersRoute(io),
  unsupportedAction: unsupportedActionRoute(io),
  listAlerts: emptyCollectionRoute('Alerts'),
  listIndicators: emptyCollectionRoute('Indicators'),
  listMachineGroups: emptyCollectionRoute('MachineGroups'),
});
