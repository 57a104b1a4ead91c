/** A real server with something in it, for requests that are nearly right. */
import { uploadPath } from '@longarm/contract/wire/protocol';
import type { Offered, ScriptedDevice } from '@longarm/testkit/scripted-device';
import { startTestServer, type TestServer } from '@longarm/testkit/test-server';

export type FuzzWorld = {
  readonly server: TestServer;
  readonly device: ScriptedDevice;
  readonly offer: Offered;
  /** A signed link of a result that is there, from the path on. */
  readonly link: string;
  readonly close: () => Promise<void>;
};

/** Bounds that would end a run of many requests by refusing them all. */
const WIDE = [
  'frames-per-second=1000000',
  'control-kib-per-second=10000000',
  'enrols-per-second=100000',
  'queued-per-machine=1000000',
  'sessions=1000000',
  'connects-per-second=100000',
];

const COMMANDS = [
  { type: 'RunScript', params: [{ key: 'ScriptName', value: 'a.sh' }] },
  { type: 'GetFile', params: [{ key: 'Path', value: '/tmp/x' }] },
];

export const openWorld = async (): Promise<FuzzWorld> => {
  const server = await startTestServer(['--log-level', 'silent', ...WIDE.flatMap((limit) => ['--limit', limit])]);
  await server.api.upload('a.sh', '#!/bin/sh\necho hello\n');
  const device = await server.device('host1.lab.example');
  const path = `/api/machines/${device.machineId}/runliveresponse`;
  const requested = await server.api.post(path, { Commands: COMMANDS, Comment: 'fuzz' });
  if (requested.status !== 200) throw new Error(requested.text);
  const offer = await device.takeOffer();
  const { actionId } = offer;
  await device.report({ kind: 'accepted', actionId });
  await device.report({ kind: 'command-started', actionId, index: 0 });
  const results = [
    await device.upload(offer, { index: 0, stream: 'stdout' }, 'hello\n'),
    await device.upload(offer, { index: 0, stream: 'stderr' }, ''),
  ];
  await device.report({
    kind: 'command-finished',
    actionId,
    index: 0,
    outcome: 'Completed',
    errors: [],
    exitCode: 0,
    results,
  });
  await device.report({ kind: 'command-started', actionId, index: 1 });
  const { json } = await server.api.call(`/api/machineactions/${actionId}/GetLiveResponseResultDownloadLink(index=0)`);
  const { pathname, search } = new URL(json.value);
  return { server, device, offer, link: pathname + search, close: server.stop };
};

export const uploadPlace = ({ offer }: FuzzWorld): string =>
  uploadPath({ actionId: offer.actionId, index: 1, stream: 'file' });
