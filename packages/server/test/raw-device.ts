/** A device without manners: its own key, and whatever bytes a test wants on the wire. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { parseEnrolToken } from '@longarm/contract/wire/enrol-token';
import { EnrolAnswer } from '@longarm/contract/wire/enrolment';
import { AGENT_PATHS, connectProofText, enrolProofText } from '@longarm/contract/wire/protocol';
import type { Json } from '@longarm/testkit/api-caller';

const FACTS = {
  computerDnsName: 'raw',
  osPlatform: 'Linux',
  osVersion: null,
  osProcessor: 'x64',
  version: '12',
  osBuild: null,
  osArchitecture: '64-bit',
  agentVersion: '0',
  aadDeviceId: null,
  ipAddresses: [],
};

/** A key pair, and an enrolment request that it signed. */
export const newKey = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const signText = (text: string): string => sign(null, Buffer.from(text), privateKey).toString('base64url');
  const enrolment = (token: string) => {
    const hardwareId = createHash('sha256').update(x).digest('hex');
    const tokenId = parseEnrolToken(token)?.id ?? '';
    return {
      token,
      publicKey: x,
      hardwareId,
      proof: signText(enrolProofText({ tokenId, publicKey: x, hardwareId })),
      facts: FACTS,
    };
  };
  return { publicKey: x, signText, enrolment };
};

/** An enrolled key that can prove itself for a nonce; changes make the proof wrong in one way. */
export const enrolKey = async (url: string, token: string, headers: Readonly<Record<string, string>> = {}) => {
  const key = newKey();
  const body = JSON.stringify(key.enrolment(token));
  const response = await fetch(url + AGENT_PATHS.enrol, { method: 'POST', body, headers });
  const { machineId, audience } = EnrolAnswer.parse(await response.json());
  const prove = (nonce: string, changes: Readonly<Record<string, unknown>> = {}) => ({
    type: 'prove',
    protocol: 1,
    machineId,
    proof: key.signText(connectProofText({ nonce, machineId, audience })),
    facts: FACTS,
    journaled: [],
    ...changes,
  });
  return { machineId, audience, signText: key.signText, prove };
};

/** A socket: the frames that came, and how it ended. */
export const openSocket = async (url: string, headers: Readonly<Record<string, string>> = {}) => {
  const socket = new WebSocket(url.replace(/^http/, 'ws') + AGENT_PATHS.connect, { headers: { ...headers } });
  const frames: Json[] = [];
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  let code: number | null = null;
  socket.onmessage = ({ data }) => {
    frames.push(JSON.parse(String(data)));
    wake();
  };
  socket.onclose = (event) => {
    code = event.code;
    wake();
  };
  /** Waits until something that is looked for is there; fails after five seconds. */
  const until = async <Found>(look: () => Found | undefined | null): Promise<Found> => {
    const timer = setTimeout(wake, 5_000);
    const deadline = performance.now() + 5_000;
    try {
      for (;;) {
        const found = look();
        if (found !== undefined && found !== null) return found;
        if (performance.now() >= deadline) throw new Error(`not within 5 s; frames: ${JSON.stringify(frames)}`);
        await changed.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  };
  const frame = (type: string): Promise<Json> => until(() => frames.find((each) => each.type === type));
  const { nonce } = await frame('hello');
  return {
    nonce: String(nonce),
    frames,
    frame,
    until,
    /** The close code, once it is closed. */
    closed: () => until(() => code),
    isClosed: () => code !== null,
    send: (message: string | Uint8Array<ArrayBuffer> | object) =>
      socket.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message)),
    close: () => socket.close(),
  };
};
