/** The part of a device's facts that every system tells in the same way. */
import { arch, hostname, networkInterfaces, release } from 'node:os';
import type { IpAddressEntity, OsPlatform } from '@longarm/contract/machine';
import { VERSION } from '@longarm/contract/version';
import type { DeviceFacts } from '@longarm/contract/wire/facts';

const ADDRESSES = 64;

const ipAddresses = (): IpAddressEntity[] =>
  Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter((entry) => !entry.internal)
    .slice(0, ADDRESSES)
    .map((entry) => ({
      ipAddress: entry.address.slice(0, 64),
      // written as the original writes it: upper case, no separators
      macAddress: entry.mac.replaceAll(':', '').toUpperCase().slice(0, 32) || null,
      type: 'Ethernet',
      operationalStatus: 'Up',
    }));

/** What differs by system, beside the platform: its version in its maker's words, and its build where it counts builds. */
export type SystemVersion = { readonly version: string; readonly osBuild: number | null };

export const deviceFacts = (osPlatform: OsPlatform, system: SystemVersion): DeviceFacts => ({
  computerDnsName: (hostname() || 'unknown').slice(0, 255),
  osPlatform,
  osVersion: release().slice(0, 255),
  osProcessor: arch(),
  version: system.version.slice(0, 255),
  osBuild: system.osBuild,
  osArchitecture: arch().includes('64') ? '64-bit' : '32-bit',
  agentVersion: VERSION,
  aadDeviceId: null,
  ipAddresses: ipAddresses(),
});
