/** Order ids and the numbers that carry them are one value, and only grow. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ID_EPOCH_MS, IdGenerator, idOf, NODE_SLOTS, uuidOf } from '../../machines/shared/ids.ts';

const ids = fc.maxSafeInteger().filter((id) => id > 0);
const randoms = fc.uint8Array({ minLength: 8, maxLength: 8 });
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('every id is found again in its UUID, whatever the random part', () => {
  fc.assert(
    fc.property(ids, randoms, (id, random) => {
      const uuid = uuidOf(id, random);
      expect(uuid).toMatch(UUID_V7);
      expect(idOf(uuid)).toBe(id);
    }),
    {
      examples: [
        [1, new Uint8Array(8)],
        [Number.MAX_SAFE_INTEGER, new Uint8Array(8).fill(255)],
      ],
    },
  );
});

test('62 random bits make the UUIDs of one id different', () => {
  fc.assert(
    fc.property(ids, randoms, randoms, (id, a, b) => {
      const sameBits = a.every((byte, i) => (i === 0 ? (byte & 0x3f) === ((b[0] as number) & 0x3f) : byte === b[i]));
      expect(uuidOf(id, a) === uuidOf(id, b)).toBe(sameBits);
    }),
  );
});

test('a UUID contains the time of its id', () => {
  const nowMs = Date.parse('2026-11-22T10:00:00.123Z');
  const uuid = uuidOf(new IdGenerator(3).next(nowMs), new Uint8Array(8));
  expect(Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16)).toBe(nowMs);
});

test('a text other than a UUIDv7 of ours contains no id', () => {
  const uuid = uuidOf(4_711, new Uint8Array(8).fill(0xab));
  const wrong = [
    '',
    'x',
    `${uuid} `,
    uuid.toUpperCase(),
    uuid.replace('-7', '-4'),
    '00000000-0000-7000-8000-000000000000',
    'ffffffff-ffff-7fff-bfff-ffffffffffff',
    uuidOf(1, new Uint8Array(8)).replace('-7001-', '-7000-'),
  ];
  for (const text of wrong) expect(idOf(text)).toBeUndefined();
  fc.assert(fc.property(fc.string(), (text) => idOf(text) === undefined));
});

test('ids only grow, however the clock jumps, and stay below 2^53', () => {
  const clock = fc.array(fc.integer({ min: ID_EPOCH_MS - 1_000_000, max: Date.parse('2095-01-01') }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(clock, fc.nat({ max: 1_000 }), (times, slot) => {
      const generator = new IdGenerator(slot);
      let last = 0;
      for (const time of times) {
        const id = generator.next(time);
        expect(id).toBeGreaterThan(last);
        expect(Number.isSafeInteger(id)).toBe(true);
        last = id;
      }
    }),
  );
});

test('a burst within one millisecond never repeats an id, on any slot', () => {
  const nowMs = ID_EPOCH_MS + 86_400_000;
  const made = new Set<number>();
  for (let slot = 0; slot < NODE_SLOTS; slot++) {
    const generator = new IdGenerator(slot);
    for (let i = 0; i < 100; i++) made.add(generator.next(nowMs));
  }
  expect(made.size).toBe(NODE_SLOTS * 100);
});
