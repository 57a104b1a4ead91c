/**
 * A device that was enrolled, and is somebody's own now: it proves its key, takes what it is offered, and tells, sends and
 * asks whatever may do harm to other devices' actions.
 */
import { transferProver } from '@longarm/agent/identity/transfer-proof';
import { authorised } from '@longarm/agent/transfer/transfer-io';
import {
  connectProofText,
  PROTOCOL_VERSION,
  TRANSFER_HEADERS,
  TUS_VERSION,
  UPLOAD_CONTENT_TYPE,
  uploadPath,
} from '@longarm/contract/wire/protocol';
import type { Faults } from './faults.ts';
import { AUDIENCE, DEVICE_KEYS, factsOf, HOSTILE_INDEX, HOSTILE_KEY, HOSTILE_TEXT } from './founding.ts';
import { hostileFrame } from './hostile-frames.ts';
import type { Watch } from './invariants.ts';
import { newLife } from './life.ts';
import type { DeviceNetwork } from './network.ts';
import { guidOf, type Random } from './random.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { WorldLimits } from './world-limits.ts';

export type HostileDeviceIo = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly limits: WorldLimits;
  readonly network: DeviceNetwork;
  readonly now: () => number;
  readonly watch: Pick<Watch, 'actions'>;
};

/** Attacks in one world, more or less. */
const ATTACKS = 20;
const WHO = 'hostile';

type Told = { readonly type: string; readonly nonce?: string; readonly actionId?: string; readonly ticket?: string };

const proveOf = (random: Random, nonce: string): string => {
  const { machineId, sign } = HOSTILE_KEY;
  // now and then it says to be another one
  const said = random.chance(0.1) ? (DEVICE_KEYS[0]?.machineId ?? machineId) : machineId;
  const proof = sign(connectProofText({ nonce, machineId: said, audience: AUDIENCE }));
  const name = random.chance(0.3) ? { computerDnsName: '../../<script>alert(1)</script>' } : {};
  const facts = { ...factsOf(HOSTILE_INDEX), ...name };
  return JSON.stringify({ type: 'prove', protocol: PROTOCOL_VERSION, machineId: said, proof, facts, journaled: [] });
};

/** Begins; it is silent once faults have stopped. */
export const beginHostile = (io: HostileDeviceIo): void => {
  const { time, random, faults, trace, limits, network, now } = io;
  if (!faults.isOn('hostile-device')) return;
  const life = newLife(time);
  const prove = transferProver({
    identity: { machineId: HOSTILE_KEY.machineId, audience: AUDIENCE },
    keys: HOSTILE_KEY,
    now,
    newNonce: () => guidOf(random),
  });
  const send = network.request(life);
  let socket: ReturnType<ReturnType<DeviceNetwork['dial']>> | null = null;
  let ticket = 'none';
  let last = 0;
  const someAction = () => {
    const ids = [...io.watch.actions().keys()];
    return ids[random.int(0, ids.length - 1)] ?? guidOf(random);
  };
  const dial = () => {
    if (!faults.isOn('hostile-device')) return;
    socket = network.dial(life)({
      onMessage: (data) => {
        const told: Told = JSON.parse(`${data}`);
        if (told.nonce !== undefined && told.type === 'hello') socket?.send(proveOf(random, told.nonce));
        ticket = told.ticket ?? ticket;
        if (told.type === 'welcome' || told.type === 'goodbye') trace.tell(WHO, `is told ${told.type}`);
      },
      onClosed: () => {
        socket = null;
        time.after(random.int(1_000, Math.max(2_000, limits.troubleMs / ATTACKS)), dial);
      },
    });
  };
  /** 10: bytes for another device's action, by a ticket for one of its own, or none. */
  const upload = async () => {
    const to = uploadPath({ actionId: someAction(), index: random.int(0, 2), stream: random.pick(['stdout', 'file']) });
    const body = new TextEncoder().encode(HOSTILE_TEXT);
    const headers = {
      [TRANSFER_HEADERS.tusVersion]: TUS_VERSION,
      [TRANSFER_HEADERS.uploadLength]: String(body.length),
      'Content-Type': UPLOAD_CONTENT_TYPE,
    };
    const holder = { current: () => ticket, refused: () => {} };
    const allowed = authorised({ prove }, holder, { method: 'POST', path: to, headers });
    const answer = await send(to, { method: 'POST', headers: allowed, body });
    trace.tell(WHO, `uploads to ${to}: ${answer.status}`);
  };
  const attack = () => {
    if (!faults.strikes('hostile-device', 1)) return;
    if (random.chance(0.15)) upload().catch((fault) => trace.tell(WHO, `${fault}`));
    for (let frames = random.int(1, 3); frames > 0; frames--) {
      const { text, sequence } = hostileFrame(random, { actionIds: [someAction()], last, at: now() });
      if (socket !== null && sequence !== null && sequence < 1_000) last = Math.max(last, sequence);
      socket?.send(text);
    }
    time.after(-Math.log(1 - random.next()) * (limits.troubleMs / ATTACKS), attack);
  };
  dial();
  attack();
};
