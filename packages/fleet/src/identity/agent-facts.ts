/** What a simulated agent tells of itself: a plain Linux machine, told apart by its number. */
import { VERSION } from '@longarm/contract/version';
import type { DeviceFacts } from '@longarm/contract/wire/facts';

const agentName = (index: number): string => `fleet-${String(index).padStart(6, '0')}.example`;

/** An address in 10.0.0.0/8. */
const addressOf = (index: number): string => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;

export const agentFacts = (index: number): DeviceFacts => ({
  computerDnsName: agentName(index),
  osPlatform: 'Linux',
  osVersion: null,
  osProcessor: 'x64',
  version: '12',
  osBuild: null,
  osArchitecture: '64-bit',
  agentVersion: `${VERSION}-simulated`,
  aadDeviceId: null,
  ipAddresses: [{ ipAddress: addressOf(index), macAddress: null, type: 'Ethernet', operationalStatus: 'Up' }],
});
