/** What it may mean that the server's certificate was not believed, for who reads the log of a device that stays away. */

/** How the runtime says that nobody whom the device believes has signed it. */
const BY_STRANGER =
  /self.signed certificate|unable to get (?:local )?issuer certificate|unable to verify the first certificate/i;

const MEANING =
  'the certificate that was shown is by no authority that this device believes. Either somebody else answers at this address, ' +
  'or the server replaced its authority while this device was away: then enrol it anew, with a new state folder and a token';

/** The reason, and what it means where it is that one. */
export const explainRefusedCertificate = (reason: string): string =>
  BY_STRANGER.test(reason) ? `${reason}: ${MEANING}` : reason;
