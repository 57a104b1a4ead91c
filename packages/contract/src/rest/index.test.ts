import { describe, expect, test } from 'bun:test';
import { ERROR_CODES } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import { ENDPOINT_NAMES, ENDPOINTS } from './index.ts';

const all: readonly (readonly [string, Endpoint])[] = Object.entries(ENDPOINTS);

test('no two endpoints have the same method and path, in any case and under any parameter name', () => {
  const places = all.map(([, { method, path }]) => `${method} ${path.toLowerCase().replace(/\{\w+\}/g, '{}')}`);
  expect(places.filter((place, index) => places.indexOf(place) !== index)).toEqual([]);
});

describe('every endpoint', () => {
  for (const [name, endpoint] of all) {
    test(name, () => {
      expect(endpoint.path).toMatch(/^\/api(\/(?:[A-Za-z]+|\{[A-Za-z]+\})(?:\((?:[a-z]+=\{[a-z]+\},?)+\))?)+$/);
      expect(endpoint.path).not.toMatch(/,\)/);
      const parameters = endpoint.path.match(/\{\w+\}/g) ?? [];
      expect(new Set(parameters).size).toBe(parameters.length);
      expect(endpoint.summary).toMatch(/^[A-Z].*[^.]$/);
      expect(ERROR_CODES).toEqual(expect.arrayContaining([...endpoint.errors]));
      expect(new Set(endpoint.errors).size).toBe(endpoint.errors.length);
      expect(endpoint.method === 'GET' && endpoint.request !== undefined).toBe(false);
    });
  }
});

/** What the table promises about order: the first that fits is taken. */
const matches = (path: string, method: string): string | undefined =>
  all.find(([, endpoint]) => {
    const pattern = endpoint.path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+');
    return endpoint.method === method && new RegExp(`^${pattern}$`, 'i').test(path);
  })?.[0];

test('documented calls meet their endpoint and no broader one', () => {
  const calls: Record<string, string> = {
    'POST /API/machines/x/runLiveResponse': 'runLiveResponse',
    'GET /api/MachineActions': 'listMachineActions',
    'GET /api/machineactions/x': 'getMachineAction',
    'GET /api/machineactions/x/GetLiveResponseResultDownloadLink(index=0)': 'getResultLink',
    'POST /api/machineactions/x/cancel': 'cancelMachineAction',
    'POST /api/machineactions/x/approve': 'approveMachineAction',
    'POST /api/machineactions/x/Deny': 'denyMachineAction',
    'GET /api/machineactions/x/events': 'watchMachineAction',
    'GET /api/machineactions/x/commands/0/output': 'watchCommandOutput',
    'GET /api/machineactions/x/GetPackageUri': 'getPackageUri',
    'GET /api/libraryfiles': 'listLibraryFiles',
    'POST /api/libraryfiles': 'uploadLibraryFile',
    'DELETE /api/libraryfiles/a.sh': 'deleteLibraryFile',
    'GET /api/libraryfiles/a.sh/content': 'downloadLibraryFile',
    'GET /api/machines': 'listMachines',
    'GET /api/machines/x': 'getMachine',
    "GET /api/machines/findbyip(ip='10.0.0.5',timestamp=2026-02-04T15:30:00Z)": 'findMachinesByIp',
    'GET /api/machines/findbytag': 'findMachinesByTag',
    'POST /api/machines/x/tags': 'changeMachineTags',
    'GET /api/machines/x/logonusers': 'listLogonUsers',
    'POST /api/machines/x/isolate': 'unsupportedAction',
    'GET /api/alerts': 'listAlerts',
    'GET /api/indicators': 'listIndicators',
    'GET /api/machinegroups': 'listMachineGroups',
  };
  const found = Object.fromEntries(
    Object.keys(calls).map((call) => [call, matches(call.split(' ')[1] ?? '', call.split(' ')[0] ?? '') ?? '']),
  );
  expect(found).toEqual(calls);
  expect([...new Set(Object.values(calls))].sort()).toEqual([...ENDPOINT_NAMES].sort());
});

test('statuses are those that clients look for', () => {
  expect(ENDPOINTS.uploadLibraryFile.response.status).toBe(200);
  expect(ENDPOINTS.deleteLibraryFile.response.status).toBe(204);
  expect(ENDPOINTS.cancelMachineAction.response.status).toBe(200);
  expect(ENDPOINTS.unsupportedAction.response.status).toBe(201);
});
