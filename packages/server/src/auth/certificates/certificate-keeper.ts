/** The certificates of a data folder that is open: what they are now, and each step of replacing their authority. */
import { Refusal } from '@longarm/contract/errors';
import {
  type Authorities,
  abandonNext,
  beginRotation,
  changeSigner,
  raiseSerial,
  readAuthorities,
  retireCurrent,
} from './authorities.ts';
import { type Certificates, type CertificatesIo, ensureCertificates } from './ensure-certificates.ts';
import { type RotationStep, stepFault } from './rotation-steps.ts';

export type CertificateKeeper = {
  readonly current: () => Certificates;
  /** Makes a new server certificate where that is due. */
  readonly renew: () => Promise<Certificates>;
  /** Done when it resolves. Throws BadRequest with a sentence where the step does not apply. */
  readonly take: (step: RotationStep) => Promise<Certificates>;
  /** What is trusted counts as newer than anything that was announced before. */
  readonly announceAnew: () => Promise<Certificates>;
};

type Change = (io: CertificatesIo, authorities: Authorities) => Promise<void>;

const rotating = (authorities: Authorities) => {
  const { next } = authorities;
  if (next === null) throw new Error('expected a rotation that goes on, there is none');
  return { ...authorities, next };
};

const CHANGES: Readonly<Record<RotationStep, Change>> = {
  rotate: beginRotation,
  switch: (io, now) => changeSigner(io, rotating(now), 'next'),
  'switch-back': (io, now) => changeSigner(io, rotating(now), 'current'),
  retire: (io, now) => retireCurrent(io, rotating(now)),
  abandon: abandonNext,
};

/** Rejects with a sentence for what `ensureCertificates` rejects for. Changes that come together are made one after another. */
export const openCertificates = async (io: CertificatesIo): Promise<CertificateKeeper> => {
  let current = await ensureCertificates(io);
  let last: Promise<unknown> = Promise.resolve();
  const change = (make: (authorities: Authorities) => Promise<void>): Promise<Certificates> => {
    const done = last.then(async () => {
      // as it is on the disk: a change before this one may have failed halfway
      await make(await readAuthorities(io));
      current = await ensureCertificates(io);
      return current;
    });
    last = done.catch(() => undefined);
    return done;
  };
  return {
    current: () => current,
    renew: () => change(async () => {}),
    take: (step) =>
      change(async (authorities) => {
        const fault = stepFault(step, authorities);
        if (fault !== null) throw new Refusal('BadRequest', fault);
        await CHANGES[step](io, authorities);
      }),
    announceAnew: () => change((authorities) => raiseSerial(io, authorities)),
  };
};
