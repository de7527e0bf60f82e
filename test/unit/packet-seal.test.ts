/** The seal of packets: a sealed packet is unchanged, for this node, recent, and accepted once. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deriveMeshKeys } from '../../mixins/mesh/seal/mesh-keys.ts';
import { PacketSeal } from '../../mixins/mesh/seal/packet-seal.ts';

const keysOf = (...secrets: string[]) => deriveMeshKeys(secrets).packets;
const KEYS = keysOf('a secret of thirty-two bytes or so');
const START = Date.UTC(2026, 0, 31);

/** Two nodes and their clocks. */
function nodes(keys = KEYS) {
  const clock = { sender: START, receiver: START };
  return {
    clock,
    sender: new PacketSeal({ keys, nodeID: 'api', now: () => clock.sender }),
    receiver: new PacketSeal({ keys, nodeID: 'orders-1', now: () => clock.receiver }),
    other: new PacketSeal({ keys, nodeID: 'orders-2', now: () => clock.receiver }),
  };
}

const packetOf = (payload: object): Buffer => Buffer.from(JSON.stringify({ ver: '5', sender: 'api', ...payload }));
const PACKET = packetOf({ action: 'orders.get', params: { id: 1 } });

test('a sealed packet reads the same to a node that does not know the seal', () => {
  const { sender } = nodes();
  const { seal, ...rest } = JSON.parse(sender.seal('REQ', 'orders-1', PACKET).toString());
  expect(rest).toEqual(JSON.parse(PACKET.toString()));
  expect(seal).toMatch(/^\d{16}=[\w-]{43}$/);
});

test('whatever a packet contains, its seal is valid only at its receiver', () => {
  const { sender, receiver, other } = nodes();
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const packet = packetOf({ params: { value, text, none: undefined, at: new Date(0), zero: -0, big: 1e300 } });
      const sealed = sender.seal('REQ', 'orders-1', packet);
      expect([other.check('REQ', sealed), receiver.check('REQ', sealed)]).toEqual(['unsealed', 'sealed']);
      expect(receiver.check('RES', sender.seal('RES', 'orders-1', packet))).toBe('sealed');
    }),
  );
});

test('no byte of a sealed packet can be changed or removed', () => {
  const { sender, receiver } = nodes();
  const sealed = sender.seal('REQ', 'orders-1', PACKET);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(sealed.readUInt8(at) ^ 1, at);
    expect([at, receiver.check('REQ', changed)]).toEqual([at, 'unsealed']);
    expect(receiver.check('REQ', sealed.subarray(0, at))).toBe('unsealed');
    expect(receiver.check('REQ', sealed.subarray(at + 1))).toBe('unsealed');
  }
  expect(receiver.check('RES', sealed)).toBe('unsealed');
  expect(receiver.check('REQ', sealed)).toBe('sealed');
});

test('a packet for every node is valid everywhere, and differs from one for a single node', () => {
  const { sender, receiver, other } = nodes();
  const sealed = sender.seal('INFO', null, PACKET);
  expect([receiver.check('INFO', sealed), other.check('INFO', sealed)]).toEqual(['sealed', 'sealed']);
  const toOne = Buffer.from(sealed.toString().replace('*', '='));
  expect(receiver.check('INFO', toOne)).toBe('unsealed');
});

test('any bytes can be checked without an error', () => {
  const { receiver } = nodes();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => receiver.check('REQ', Buffer.from(bytes)) === 'unsealed'),
  );
});

describe('time', () => {
  test('a packet is valid for thirty seconds, and up to ten seconds before its time', () => {
    const { clock, sender, receiver } = nodes();
    const verdictAfter = (ms: number) => {
      const sealed = sender.seal('EVENT', 'orders-1', PACKET);
      clock.receiver = clock.sender + ms;
      return receiver.check('EVENT', sealed);
    };
    expect([-10_001, -9_990, 0, 29_990, 30_010].map(verdictAfter)).toEqual([
      'stale',
      'sealed',
      'sealed',
      'sealed',
      'stale',
    ]);
  });

  test('a request is accepted once, however the clock advances during its validity', () => {
    const { clock, sender, receiver } = nodes();
    clock.sender += 9_000;
    const sealed = sender.seal('REQ', 'orders-1', PACKET);
    const verdicts = [];
    for (; clock.receiver < START + 45_000; clock.receiver += 500) {
      // What comes meanwhile makes it forget what is old.
      receiver.check('REQ', sender.seal('REQ', 'orders-1', PACKET));
      verdicts.push(receiver.check('REQ', sealed));
      clock.sender = Math.max(clock.sender, clock.receiver);
    }
    expect(verdicts.filter((verdict) => verdict === 'sealed')).toHaveLength(1);
    expect(new Set(verdicts.slice(1))).toEqual(new Set(['replayed', 'stale']));
  });

  test('what was sent to or by an earlier run of a node is refused by the next', () => {
    const { clock, sender } = nodes();
    const request = sender.seal('REQ', 'orders-1', PACKET);
    // Moleculer ends a node that hears of another one with its name.
    const info = new PacketSeal({ keys: KEYS, nodeID: 'orders-1', now: () => clock.sender }).seal('INFO', null, PACKET);
    const reborn = new PacketSeal({ keys: KEYS, nodeID: 'orders-1', now: () => clock.sender + 1 });
    expect([reborn.check('REQ', request), reborn.check('INFO', info)]).toEqual(['stale', 'stale']);
  });

  test('a clock that is set back does not make the packets of its node stale', () => {
    const { clock, sender, receiver } = nodes();
    const verdicts = [60_000, 0, 0, 1].map((ms) => {
      clock.sender = clock.receiver = START + ms;
      return receiver.check('REQ', sender.seal('REQ', 'orders-1', PACKET));
    });
    expect(verdicts).toEqual(['sealed', 'sealed', 'sealed', 'sealed']);
  });

  test('equal packets at the same time are two different packets', () => {
    const { sender, receiver } = nodes();
    const sealed = [1, 2, 3].map(() => sender.seal('REQ', 'orders-1', PACKET));
    expect(sealed.map((packet) => receiver.check('REQ', packet))).toEqual(['sealed', 'sealed', 'sealed']);
  });
});

const believes = (receiver: PacketSeal, sender: PacketSeal) => receiver.check('RES', sender.seal('RES', 'a', PACKET));

test('a secret is changed without downtime: both are accepted, the first seals', () => {
  const [old, fresh] = ['the old secret, which is long enough', 'the new secret, which is long enough'];
  const before = new PacketSeal({ keys: keysOf(old), nodeID: 'a' });
  const both = new PacketSeal({ keys: keysOf(old, fresh), nodeID: 'a' });
  const turned = new PacketSeal({ keys: keysOf(fresh, old), nodeID: 'a' });
  const after = new PacketSeal({ keys: keysOf(fresh), nodeID: 'a' });
  const steps = [before, both, turned, after];
  for (const [from, sender] of steps.entries()) {
    for (const [to, receiver] of steps.entries()) {
      expect([from, to, believes(receiver, sender)]).toEqual([
        from,
        to,
        Math.abs(from - to) <= 1 ? 'sealed' : expect.any(String),
      ]);
    }
  }
  expect([believes(before, turned), believes(before, after), believes(after, both)]).toEqual(Array(3).fill('unsealed'));
});
