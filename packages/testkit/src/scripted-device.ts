/**
 * A device that speaks the real protocol over a real socket and does what a test tells it, step by step: for what a
 * real agent would do too fast, too well, or never.
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { ActionId } from '@longarm/contract/ids';
import type { ResultStream } from '@longarm/contract/result';
import { type KeyClaim, keyClaimText } from '@longarm/contract/wire/device-key';
import { parseEnrolToken } from '@longarm/contract/wire/enrol-token';
import type { EnrolAnswer } from '@longarm/contract/wire/enrolment';
import { EnvelopePayload } from '@longarm/contract/wire/envelope';
import type { DeviceFacts } from '@longarm/contract/wire/facts';
import {
  AGENT_PATHS,
  connectProofText,
  enrolProofText,
  libraryFilePath,
  PROTOCOL_VERSION,
  TRANSFER_HEADERS,
  UPLOAD_CONTENT_TYPE,
  uploadPath,
} from '@longarm/contract/wire/protocol';
import type { FrameToAgent, FrameToAgentType } from '@longarm/contract/wire/to-agent';
import type { Fact, InlineContent, UploadedResult } from '@longarm/contract/wire/to-server';
import {
  formatTransferProof,
  TRANSFER_PROOF_HEADER,
  transferPlace,
  transferProofText,
} from '@longarm/contract/wire/transfer-proof';

type FrameOf<Type extends FrameToAgentType> = Extract<FrameToAgent, { type: Type }>;

export type DeviceOptions = {
  readonly server: string;
  readonly enrolToken: string;
  readonly name: string;
  /** The same text twice is the same agent at the same place. */
  readonly place?: string;
  readonly caPem?: string;
  /** What it tells of itself otherwise than a plain Linux machine would. */
  readonly facts?: Partial<DeviceFacts>;
  /** What else it says with its proof. */
  readonly proves?: object;
  /** Its clock; the system's when left out. */
  readonly now?: () => number;
};

const factsOf = ({ name, facts }: DeviceOptions): DeviceFacts => ({
  computerDnsName: name,
  osPlatform: 'Linux',
  osVersion: null,
  osProcessor: 'x64',
  version: '12',
  osBuild: null,
  osArchitecture: '64-bit',
  agentVersion: '0.0.0-scripted',
  aadDeviceId: null,
  ipAddresses: [{ ipAddress: '10.0.0.5', macAddress: null, type: 'Ethernet', operationalStatus: 'Up' }],
  ...facts,
});

const tlsOf = ({ caPem }: DeviceOptions): { tls?: { ca: string } } =>
  caPem === undefined ? {} : { tls: { ca: caPem } };

const signText = (key: KeyObject, text: string): string => sign(null, Buffer.from(text), key).toString('base64url');

const sha256Of = (bytes: Uint8Array): UploadedResult['sha256'] =>
  // hex of a digest has the form that the brand stands for
  createHash('sha256').update(bytes).digest('hex') as UploadedResult['sha256'];

/** Frames that came and nobody has taken, and who waits for one. */
class Inbox {
  readonly #frames: FrameToAgent[] = [];
  readonly #waiting: (() => void)[] = [];

  push(frame: FrameToAgent): void {
    this.#frames.push(frame);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  has(type: FrameToAgentType): boolean {
    return this.#frames.some((frame) => frame.type === type);
  }

  /** The first frame of one of the types, as soon as there is one; earlier ones of other types stay. */
  async take<Type extends FrameToAgentType>(types: readonly Type[], timeoutMs: number): Promise<FrameOf<Type>> {
    const find = () => this.#frames.findIndex((frame) => types.some((type) => type === frame.type));
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const place = find();
      // found by its type
      if (place >= 0) return this.#frames.splice(place, 1)[0] as FrameOf<Type>;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      const timer = setTimeout(resolve, Math.max(0, deadline - performance.now()));
      await promise;
      clearTimeout(timer);
      if (performance.now() >= deadline && find() < 0) {
        throw new Error(
          `no ${types.join(' or ')} frame within ${timeoutMs} ms; there are: ${this.#frames.map((frame) => frame.type).join(', ') || 'none'}`,
        );
      }
    }
  }
}

export type Offered = {
  readonly actionId: ActionId;
  readonly envelope: string;
  readonly payload: EnvelopePayload;
  readonly ticket: string;
};

export type NewKeyChanges = {
  readonly next?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly claim?: Partial<KeyClaim>;
  readonly certifier?: KeyObject;
  readonly prover?: KeyObject;
};

type Enrolled = { readonly identity: EnrolAnswer; readonly hardwareId: string };

export class ScriptedDevice {
  readonly machineId: string;
  readonly #options: DeviceOptions;
  readonly #now: () => number;
  #key: KeyObject;
  #nextKey: KeyObject | null = null;
  readonly #identity: EnrolAnswer;
  #socket: WebSocket | null = null;
  #inbox = new Inbox();
  #sequence = 0;
  /** Server time less this process's own. */
  #serverAheadMs = 0;

  #generation: string | null = null;
  readonly #hardwareId: string;

  private constructor(options: DeviceOptions, key: KeyObject, enrolled: Enrolled) {
    const { identity, hardwareId } = enrolled;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#key = key;
    this.#identity = identity;
    this.#hardwareId = hardwareId;
    this.machineId = identity.machineId;
  }

  static async enrol(options: DeviceOptions): Promise<ScriptedDevice> {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const { x = '' } = publicKey.export({ format: 'jwk' });
    const hardwareId = createHash('sha256')
      .update(options.place ?? crypto.randomUUID())
      .digest('hex');
    const tokenId = parseEnrolToken(options.enrolToken)?.id ?? '';
    const response = await fetch(options.server + AGENT_PATHS.enrol, {
      method: 'POST',
      body: JSON.stringify({
        token: options.enrolToken,
        publicKey: x,
        hardwareId,
        proof: signText(privateKey, enrolProofText({ tokenId, publicKey: x, hardwareId })),
        facts: factsOf(options),
      }),
      ...tlsOf(options),
    });
    if (!response.ok) throw new Error(`enrolment: ${response.status} ${await response.text()}`);
    return new ScriptedDevice(options, privateKey, { identity: (await response.json()) as EnrolAnswer, hardwareId });
  }

  /** Another one that lives on a copy of this one's state, as it is now; on other hardware where that is named. */
  copy(changes: { readonly name: string; readonly hardware?: string }): ScriptedDevice {
    const { name, hardware } = changes;
    const hardwareId = hardware === undefined ? this.#hardwareId : createHash('sha256').update(hardware).digest('hex');
    const copy = new ScriptedDevice({ ...this.#options, name }, this.#key, { identity: this.#identity, hardwareId });
    copy.#generation = this.#generation;
    return copy;
  }

  /** Connects and proves; resolves when the server welcomed it. */
  async connect(journaled: readonly string[] = []): Promise<void> {
    const inbox = new Inbox();
    const url = this.#options.server.replace(/^http/, 'ws') + AGENT_PATHS.connect;
    const socket = new WebSocket(url, tlsOf(this.#options));
    socket.onmessage = ({ data }) => inbox.push(JSON.parse(String(data)));
    this.#inbox = inbox;
    this.#socket = socket;
    const { nonce, serverTime } = await this.take('hello');
    this.#serverAheadMs = serverTime - this.#now();
    const { machineId } = this;
    const proof = signText(this.#key, connectProofText({ nonce, machineId, audience: this.#identity.audience }));
    this.send({
      type: 'prove',
      protocol: PROTOCOL_VERSION,
      machineId,
      proof,
      facts: factsOf(this.#options),
      journaled,
      hardwareId: this.#hardwareId,
      ...(this.#generation === null ? {} : { generation: this.#generation }),
      ...this.#options.proves,
      ...(this.#nextKey === null
        ? {}
        : {
            nextProof: signText(
              this.#nextKey,
              connectProofText({ nonce, machineId, audience: this.#identity.audience }),
            ),
          }),
    });
    const answer = await this.#inbox.take(['welcome', 'goodbye'], 5_000);
    if (answer.type === 'goodbye') throw new Error(`the server said goodbye: ${answer.reason}`);
    if (answer.generation === undefined) return;
    this.#generation = answer.generation;
    this.send({ type: 'generation-kept' });
  }

  /** The answer to `renew-key`, with a next key of its own; a change makes it one that no honest device would give. */
  newKey(nonce: string, changes: NewKeyChanges = {}) {
    const { publicKey, privateKey } = changes.next ?? generateKeyPairSync('ed25519');
    this.#nextKey = privateKey;
    const { x = '' } = publicKey.export({ format: 'jwk' });
    const { x: formerKey = '' } = createPublicKey(this.#key).export({ format: 'jwk' });
    const { audience } = this.#identity;
    const { machineId } = this;
    const at = this.#now() + this.#serverAheadMs;
    const claim = { audience, machineId, number: 2, formerKey, publicKey: x, nonce, at, ...changes.claim };
    const text = keyClaimText(claim);
    return {
      type: 'new-key',
      number: claim.number,
      publicKey: claim.publicKey,
      at: claim.at,
      certification: signText(changes.certifier ?? this.#key, text),
      proof: signText(changes.prover ?? privateKey, text),
    };
  }

  /** The next key is the one in force from now on. */
  adoptKey(): void {
    this.#key = this.#nextKey ?? this.#key;
    this.#nextKey = null;
  }

  /** Forgets the next key: it proves with the one in force alone. */
  dropNextKey(): void {
    this.#nextKey = null;
  }

  async disconnect(): Promise<void> {
    const socket = this.#socket;
    if (socket === null || socket.readyState === WebSocket.CLOSED) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.onclose = () => resolve();
    socket.close();
    await promise;
  }

  send(frame: object): void {
    this.#socket?.send(JSON.stringify(frame));
  }

  take<Type extends FrameToAgentType>(type: Type, timeoutMs = 5_000): Promise<FrameOf<Type>> {
    return this.#inbox.take([type], timeoutMs);
  }

  has(type: FrameToAgentType): boolean {
    return this.#inbox.has(type);
  }

  async takeOffer(timeoutMs = 5_000): Promise<Offered> {
    const { actionId, envelope, ticket } = await this.take('offer', timeoutMs);
    const payload = EnvelopePayload.parse(
      JSON.parse(Buffer.from(envelope.split('.')[1] ?? '', 'base64url').toString('utf8')),
    );
    return { actionId, envelope, payload, ticket };
  }

  /** Sends the next report without waiting; gives its sequence. */
  tell(fact: DistributiveOmit<Fact, 'at'>, contents?: readonly InlineContent[]): number {
    this.#sequence++;
    const inline = contents === undefined ? {} : { contents };
    this.send({ type: 'report', sequence: this.#sequence, fact: { ...fact, at: this.#now() }, ...inline });
    return this.#sequence;
  }

  /** Sends the next report and waits until it is acknowledged. */
  async report(fact: DistributiveOmit<Fact, 'at'>, contents?: readonly InlineContent[]): Promise<void> {
    const sequence = this.tell(fact, contents);
    for (;;) {
      const acknowledged = await this.take('acknowledge');
      if (acknowledged.sequence >= sequence) return;
    }
  }

  /** The proof of one request, as the header has it; a change makes it one for something else. */
  proofOf(
    request: {
      readonly path: string;
      readonly method?: string;
      readonly headers?: NonNullable<RequestInit['headers']>;
      readonly ticket: string;
    },
    changes: { readonly at?: number; readonly audience?: string; readonly machineId?: string } = {},
  ): string {
    const { method = 'GET', path, ticket } = request;
    const headers = new Headers(request.headers);
    const fresh = { at: changes.at ?? this.#now() + this.#serverAheadMs, nonce: crypto.randomUUID() };
    const text = transferProofText({
      audience: this.#identity.audience,
      machineId: this.machineId,
      method,
      path,
      place: transferPlace(method, (name) => headers.get(name)),
      ticketSha256: createHash('sha256').update(ticket).digest('base64url'),
      ...changes,
      ...fresh,
    });
    return formatTransferProof({ ...fresh, signature: signText(this.#key, text) });
  }

  /** A request of a transfer, with its ticket and its proof. */
  transfer(path: string, ticket: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${ticket}`);
    const { method = 'GET' } = init;
    headers.set(TRANSFER_PROOF_HEADER, this.proofOf({ path, method, headers, ticket }));
    return this.request(path, { ...init, headers });
  }

  request(path: string, init: RequestInit): Promise<Response> {
    return fetch(this.#options.server + path, { ...init, ...tlsOf(this.#options) });
  }

  fetchLibraryFile(offer: Offered, sha256: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.transfer(libraryFilePath(offer.actionId, sha256), offer.ticket, { headers });
  }

  /** Uploads a whole stream and gives what a report says of it. */
  async upload(
    offer: Pick<Offered, 'actionId' | 'ticket'>,
    place: { readonly index: number; readonly stream: ResultStream },
    content: string | Uint8Array,
  ): Promise<UploadedResult> {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const path = uploadPath({ actionId: offer.actionId, ...place });
    const created = await this.transfer(path, offer.ticket, {
      method: 'POST',
      headers: { [TRANSFER_HEADERS.uploadLength]: String(bytes.length) },
    });
    if (!created.ok) throw new Error(`upload: ${created.status} ${await created.text()}`);
    if (bytes.length > 0) {
      const sent = await this.transfer(path, offer.ticket, {
        method: 'PATCH',
        headers: { [TRANSFER_HEADERS.uploadOffset]: '0', 'content-type': UPLOAD_CONTENT_TYPE },
        body: bytes,
      });
      if (sent.status !== 204) throw new Error(`upload: ${sent.status} ${await sent.text()}`);
    }
    return { stream: place.stream, sha256: sha256Of(bytes), sizeBytes: bytes.length, name: place.stream, cutBytes: 0 };
  }
}

type DistributiveOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;
