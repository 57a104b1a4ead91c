/** The guard of this device, over the policy that lies where its owner put it. */
import { join } from 'node:path';
import type { MachineId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { RunConfig } from '../config.ts';
import type { Platform } from '../platform/platform.ts';
import type { PathForm } from '../policy/glob.ts';
import { type Guard, guard } from '../policy/guard.ts';
import { type PolicySource, policySource } from '../policy/policy-source.ts';

type System = Pick<Platform, 'osPlatform'>;

const formOf = ({ osPlatform }: System): PathForm => ({
  isWindows: osPlatform === 'Windows',
  ignoresCase: osPlatform !== 'Linux',
});

/** One for all agents of a device; Windows has no such place that is closed by itself. */
const SHARED_POLICY = '/etc/longarm-agent/policy.json';

export const devicePolicy = (
  platform: System,
  config: Pick<RunConfig, 'stateFolder' | 'policyFile' | 'requireSignatures'>,
): PolicySource => {
  const own = join(config.stateFolder, 'policy.json');
  const usual = platform.osPlatform === 'Windows' ? [own] : [own, SHARED_POLICY];
  return policySource(
    { file: config.policyFile, usual, stateFolder: config.stateFolder },
    { form: formOf(platform), requireSignatures: config.requireSignatures },
  );
};

export const deviceGuard = (parts: {
  readonly source: PolicySource;
  readonly platform: System;
  readonly machineId: MachineId;
  readonly serverNow: () => EpochMs;
  readonly localNow: () => EpochMs;
}): Guard => {
  const { source, platform, machineId, serverNow, localNow } = parts;
  return guard({
    source,
    form: formOf(platform),
    bearings: () => ({ machineId, serverNow: serverNow(), localNow: localNow() }),
    localTime: () => {
      const here = new Date(localNow());
      return { day: here.getDay(), minute: here.getHours() * 60 + here.getMinutes() };
    },
  });
};
