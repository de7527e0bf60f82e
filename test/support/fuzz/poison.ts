/** Values that programs trip over. Everything is plain JSON, but for those that only a caller in the process can give. */
import fc, { type Arbitrary } from 'fast-check';

const nested = (depth: number): unknown => {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
};

/** A JSON text read as a body is: `__proto__` is then an own key. */
const read = (json: string): unknown => JSON.parse(json);

const LONG = 'A'.repeat(100_000);

const TEXTS: readonly string[] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  'x\udfff',
  '\ufeff',
  '\u202eabc',
  '\r\nX-Injected: yes',
  '👩‍👩‍👧‍👦'.repeat(60),
  'A'.repeat(501),
  LONG,
  'NaN',
  'Infinity',
  '-0',
  '1e400',
  '0x10',
  '1_000',
  '１２',
  '9007199254740992',
  '9223372036854775808',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'true',
  '../../etc/passwd',
  '..',
  '%00',
  '%2e%2e%2f',
  '%c0%ae',
  "' OR '1'='1",
  "x'); DROP TABLE orders.orders; --",
  '$1',
  '{"$gt":0}',
  '${7*7}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  'ORD-',
  'ORD-00000000-0000-7000-8000-000000000000',
  'ord-ffffffff-ffff-7fff-bfff-ffffffffffff',
  'ORD-019b7a00-0000-7000-8000-00000000000',
  'TRK-',
  'TRK-019b7a00-0000-7000-8000-000000000000',
  'TRK-ffffffff-ffff-7fff-bfff-ffffffffffff',
  '2026-02-30',
  '2026-13-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '0000-01-01',
  '0001-01-01T00:00:00+23:59',
  '9999-12-31T23:59:59-23:59',
  '+275760-09-13T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:00:60Z',
];

const NUMBERS: readonly number[] = [
  0,
  -0,
  -1,
  0.5,
  0.1 + 0.2,
  1.005,
  1e308,
  -1e308,
  5e-324,
  1e21,
  99_999_999_999.99,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  2 ** 63,
  2 ** 64,
];

const CONTAINERS: readonly unknown[] = [
  [],
  {},
  [[]],
  [null],
  [{}],
  { length: 1e9 },
  { length: -1, 0: 'a' },
  { toString: 'x', valueOf: 1 },
  { toJSON: 'x' },
  read('{"then":"x"}'),
  { $gt: 0 },
  { constructor: { prototype: { polluted: 1 } } },
  read('{"__proto__":{"polluted":1}}'),
  read('[{"__proto__":{"polluted":1},"productId":1,"quantity":1}]'),
  nested(20),
  nested(2_000),
];

/** Only now and then: each costs what a large request costs. */
const LARGE: readonly unknown[] = [
  Array(1_001).fill(0),
  Array(20_000).fill(null),
  Array.from({ length: 5_000 }, () => ({ productId: 0, quantity: 'x', colour: 1 })),
  Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`field-${i}`, i])),
  { [LONG]: 1 },
];

const holes: unknown[] = [1];
holes[3] = 2;

const ONLY_INSIDE: readonly unknown[] = [
  undefined,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1n,
  holes,
  new Date(0),
  new Date(Number.NaN),
  new Map([['a', 1]]),
  Buffer.from('abc'),
  Object.create(null),
  /a/,
];

/** Anything JSON can say, the trying things more often than others. */
export const poison: Arbitrary<unknown> = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom<unknown>(...TEXTS, ...NUMBERS, ...CONTAINERS, null, true, false) },
  { weight: 6, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 3, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(...LARGE) },
);

/** The same, with what only code of the process itself can pass. */
export const poisonInside: Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: poison },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(...ONLY_INSIDE) },
);

/** Text for paths, queries and headers. */
export const poisonText: Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS.filter((text) => text.length < 10_000)) },
  { weight: 2, arbitrary: fc.constantFrom(...NUMBERS).map(String) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom('9'.repeat(400), 'a'.repeat(9_000)) },
);

/** Names that no endpoint knows, those that could change what an object is among them. */
export const strangeName: Arbitrary<string> = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'then', 'length', '$where', '', 'a, b', 'a.b'),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
