import { expect, test } from 'bun:test';
import type { GatewayChild } from './gateway-child.ts';
import { portShare } from './port-share.ts';

const world = (count: number) => {
  const gateways = Array.from({ length: count }, (_, pid) => {
    const told: boolean[] = [];
    const process: GatewayChild = {
      pid,
      tell: (order) => void told.push(order.order === 'port' && order.takes),
      kill: () => {},
      ended: new Promise(() => {}),
    };
    return { process, told, held: 0, places: 100 };
  });
  return { gateways, share: portShare(), told: () => gateways.map(({ told }) => told.splice(0)) };
};

test('a full gateway leaves the port, and comes back when a few of its places are free', () => {
  const { gateways, share, told } = world(3);
  share(gateways);
  expect(told()).toEqual([[], [], []]);
  const [first] = gateways;
  if (first === undefined) throw new Error('expected a gateway');
  first.held = 100;
  share(gateways);
  share(gateways);
  expect(told()).toEqual([[false], [], []]);
  first.held = 98;
  share(gateways);
  expect(told()).toEqual([[], [], []]);
  first.held = 97;
  share(gateways);
  expect(told()).toEqual([[true], [], []]);
});

test('where nobody has a place, all take: calls of the API come in by them too', () => {
  const { gateways, share, told } = world(2);
  const [first, second] = gateways;
  if (first === undefined || second === undefined) throw new Error('expected gateways');
  first.held = 100;
  share(gateways);
  expect(told()).toEqual([[false], []]);
  second.held = 100;
  share(gateways);
  expect(told()).toEqual([[true], []]);
  // a third has been started meanwhile: the others leave it what comes
  const third = { ...second, process: { ...second.process, pid: 3 }, held: 0 };
  share([...gateways, third]);
  expect(told()).toEqual([[false], [false]]);
  // and it is lost: who is left takes
  share(gateways);
  expect(told()).toEqual([[true], [true]]);
});
