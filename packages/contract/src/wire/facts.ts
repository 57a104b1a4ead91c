/** What a device tells of itself. Data only: nothing here reaches a path, a query or a page unescaped. */
import { z } from 'zod';
import { IpAddressEntity, OS_PLATFORMS } from '../machine.ts';

export const DeviceFacts = z.strictObject({
  computerDnsName: z.string().min(1).max(255),
  osPlatform: z.enum(OS_PLATFORMS),
  osVersion: z.string().max(255).nullable(),
  /** Processor architecture: `x64`, `arm64`. */
  osProcessor: z.string().max(64),
  /** The distribution's or system's version: `12`, `22H2`. */
  version: z.string().max(255),
  osBuild: z.int().nullable(),
  osArchitecture: z.string().max(16),
  agentVersion: z.string().max(64),
  aadDeviceId: z.guid().toLowerCase().nullable(),
  ipAddresses: z.array(IpAddressEntity).max(64),
});
export type DeviceFacts = z.infer<typeof DeviceFacts>;
