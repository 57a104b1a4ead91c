import { beforeEach, expect, test } from 'bun:test';
import { MachineId } from '@longarm/contract/ids';
import { TRANSFER_PROOF_AHEAD_MS, TRANSFER_PROOF_MS } from '@longarm/contract/wire/transfer-proof';
import { PROOFS_PER_MACHINE, type ProofWindow, proofWindow } from './proof-window.ts';

const ONE = MachineId.parse('1'.repeat(40));
const OTHER = MachineId.parse('2'.repeat(40));
const START = 1_000_000;

let now: number;
let window: ProofWindow;

beforeEach(() => {
  now = START;
  window = proofWindow({ now: () => now });
  now += 600_000;
});

const admit = (at: number, nonce = `${at}`, machineId = ONE) => window.admit(machineId, { at, nonce });

test('a proof is taken once, and each device has nonces of its own', () => {
  expect([admit(now, 'a'), admit(now, 'a'), admit(now, 'b'), admit(now, 'a', OTHER)]).toEqual([
    true,
    false,
    true,
    true,
  ]);
  // dated anew, it is another proof; its nonce is not
  expect(admit(now + 1, 'a')).toBe(false);
});

test('at the bounds of time, and one millisecond past them', () => {
  expect([admit(now - TRANSFER_PROOF_MS + 1), admit(now - TRANSFER_PROOF_MS)]).toEqual([true, false]);
  expect([admit(now + TRANSFER_PROOF_AHEAD_MS), admit(now + TRANSFER_PROOF_AHEAD_MS + 1)]).toEqual([true, false]);
});

test('what was shown before the server started is not taken', () => {
  now = START + 5;
  expect([admit(START), admit(START - 1), admit(START + 1)]).toEqual([false, false, true]);
});

test('past the bound of what is remembered nothing passes twice', () => {
  for (let nth = 0; nth <= PROOFS_PER_MACHINE; nth++) expect(admit(now + nth)).toBe(true);
  // the first is forgotten, and its time with all before it refused; the others are remembered
  for (let nth = 0; nth <= PROOFS_PER_MACHINE; nth++) expect([nth, admit(now + nth)]).toEqual([nth, false]);
  expect(admit(now, 'new')).toBe(false);
  expect(admit(now + 1, 'new')).toBe(true);
});

test('a device is forgotten when time alone refuses what it has shown', () => {
  const at = now;
  admit(at);
  window.forget();
  expect(admit(at)).toBe(false);
  now = at + TRANSFER_PROOF_MS;
  window.forget();
  expect(admit(at)).toBe(false);
});
