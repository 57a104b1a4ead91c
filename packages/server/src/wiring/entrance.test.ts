import { expect, test } from 'bun:test';
import { FILES_BESIDES } from '../relay/places.ts';
import { capacityFault } from './entrance.ts';

test('more devices than can be connected are told of at the start, with the limit and what to change', () => {
  const places = 20_000 - FILES_BESIDES;
  expect(capacityFault(20_000, 0, places)).toBeNull();
  expect(capacityFault(20_000, 0, places + 1)).toBe(
    '19,401 devices are enrolled, and 19,400 can be connected at once: a process may have 20,000 files open here (ulimit -n, LimitNOFILE of a systemd unit), 600 of which are not for connections. Raise the limit, or start the server with --gateways 2.',
  );
  expect(capacityFault(20_000, 3, 3 * places)).toBeNull();
  expect(capacityFault(20_000, 3, 3 * places + 1)).toContain('start the server with --gateways 4');
  expect(capacityFault(null, 0, 1_000_000)).toBeNull();
});

test('a limit that leaves no room for any device is a fault', () => {
  expect(() => capacityFault(FILES_BESIDES, 2, 0)).toThrow('No device could connect: a process may have 600 files');
  expect(capacityFault(FILES_BESIDES + 1, 0, 1)).toBeNull();
});
