/** Where an agent talks to its server, and the version of what they say. See docs/agent-protocol.md. */

export const PROTOCOL_VERSION = 1;

/** Paths below the server's address. */
export const AGENT_PATHS = {
  /** GET: the server's CA certificate, PEM; trusted only after its fingerprint was compared with the enrolment token. */
  certificate: '/agent/v1/ca.pem',
  /** POST: enrolment. */
  enrol: '/agent/v1/enrol',
  /** WebSocket: frames. */
  connect: '/agent/v1/connect',
} as const;

/** GET with ranges: a library file that an action pinned. */
export const libraryFilePath = (actionId: string, sha256: string): string =>
  `/agent/v1/actions/${actionId}/files/${sha256}`;

/** POST, HEAD, PATCH: a result stream, by the core of tus 1.0 (https://tus.io/protocols/resumable-upload). */
export const uploadPath = (target: {
  readonly actionId: string;
  readonly index: number;
  readonly stream: string;
}): string => `/agent/v1/actions/${target.actionId}/commands/${target.index}/results/${target.stream}`;

/** Header names of transfers. */
export const TRANSFER_HEADERS = {
  tusVersion: 'Tus-Resumable',
  uploadOffset: 'Upload-Offset',
  uploadLength: 'Upload-Length',
  /** On the answer that completes an upload: SHA-256 of what the server stored, hex. */
  sha256: 'Longarm-Sha256',
} as const;

export const TUS_VERSION = '1.0.0';
export const UPLOAD_CONTENT_TYPE = 'application/offset+octet-stream';
/** Results up to here may come with the request that opens their upload (tus `creation-with-upload`). */
export const WHOLE_UPLOAD_BYTES = 65_536;

/**
 * What a device signs to prove that it holds its key: UTF-8 of these lines, joined by a line feed. The nonce is the
 * server's and good for one connection; the audience keeps a proof for one server from being shown to another.
 */
export const connectProofText = (proof: {
  readonly nonce: string;
  readonly machineId: string;
  readonly audience: string;
}): string => ['longarm-connect-v1', proof.audience, proof.machineId, proof.nonce].join('\n');

/** The same for enrolment: the key that enrols signs what it enrols as. */
export const enrolProofText = (proof: {
  readonly tokenId: string;
  readonly publicKey: string;
  readonly hardwareId: string;
}): string => ['longarm-enrol-v1', proof.tokenId, proof.publicKey, proof.hardwareId].join('\n');
