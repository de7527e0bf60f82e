/** The benchmark's arithmetic and charts. */
import { expect, test } from '@jest/globals';
import { costOf, processTime, type Reading } from '../bench/counters.ts';
import { requestsOf } from '../bench/load/traffic.ts';
import { readOptions, SCENARIOS } from '../bench/options.ts';
import { barsOf } from '../bench/report/bars.ts';
import { svgOf } from '../bench/report/svg.ts';
import { bar, reportOf } from '../bench/report/terminal.ts';
import { estimateSeconds, RUNS } from '../bench/scenarios/index.ts';
import { compare, median, slope } from '../bench/statistics.ts';

const rates = { scenario: 'uniform', title: 'orders', unit: '/s', better: 'higher' } as const;
const times = { scenario: 'alone', title: 'p50', unit: 'ms', better: 'lower' } as const;

test('the median is the middle one, and of an even count the mean of the two in the middle', () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([7])]).toEqual([2, 2.5, 7]);
  expect(median([])).toBeNaN();
});

test('a ratio is made within a round, so a round in which the machine was slow does not count for one side', () => {
  const slowOnce = compare(rates, { name: 'a', rounds: [200, 20, 210] }, { name: 'b', rounds: [100, 10, 100] });
  expect(slowOnce.ratios).toEqual([2, 2, 2.1]);
  expect([slowOnce.ratio, slowOnce.left.median, slowOnce.right.median]).toEqual([2, 200, 100]);
});

test('a ratio above 1 is better for the left side, also where less is better', () => {
  expect(compare(times, { name: 'a', rounds: [2] }, { name: 'b', rounds: [6] }).ratio).toBe(3);
});

test('growth is distinguished from noise by least squares', () => {
  const points = [0, 1, 2, 3].map((x) => ({ x, y: 100 + 5 * x + (x % 2) }));
  expect(slope(points)).toBeCloseTo(5.2);
});

const comparisons = [
  compare(rates, { name: 'waybill', rounds: [300] }, { name: 'baseline', rounds: [100] }),
  compare(times, { name: 'waybill', rounds: [4] }, { name: 'baseline', rounds: [2] }),
];

test('bars share one scale, on which a ratio of 1 has its mark', () => {
  const { bars, even } = barsOf(comparisons);
  expect(even).toBeCloseTo(1 / 3);
  expect(bars.map(({ length }) => length)).toEqual([1, 0.5 / 3]);
  expect(bars.map(({ left, right, label }) => [left, right, label])).toEqual([
    ['waybill 300/s', 'baseline 100/s', '3.00×'],
    ['waybill 4.00 ms', 'baseline 2.00 ms', '0.50×'],
  ]);
});

test('all bars in the terminal have the same width, and show the mark even when they do not reach it', () => {
  expect(bar(1, 10)).toBe('█'.repeat(30));
  expect(bar(0.5, 10)).toBe('█'.repeat(15).padEnd(30));
  expect(bar(0.1, 10)).toBe(`${'█'.repeat(3)}${' '.repeat(7)}┊${' '.repeat(19)}`);
  expect(bar(0, 0)).toHaveLength(30);
});

test('the report says that figures are invalid, and why', () => {
  const figures = { comparisons, facts: [], turns: [], baselinePool: 8, invalid: [] };
  expect(reportOf(figures)).toContain('The books balance.');
  const invalid = reportOf({ ...figures, invalid: ['waybill, after hot: 2 orders are lost'] });
  expect(invalid).toMatch(/INVALID(.|\n)*2 orders are lost/);
  expect(invalid).not.toContain('The books balance.');
});

test('the chart contains every comparison, with XML special characters escaped', () => {
  const odd = compare({ ...rates, title: 'a < b & "c"' }, { name: 'l', rounds: [1] }, { name: 'r', rounds: [1] });
  const svg = svgOf([...comparisons, odd], 'measured <here>');
  expect(svg.match(/<rect x=/g)).toHaveLength(3);
  expect(svg).toContain('a &lt; b &amp; &quot;c&quot;');
  expect(svg).toContain('measured &lt;here&gt;');
  expect(svg).not.toContain('NaN');
});

const orders = { kind: 'orders', products: 1_000, hot: false, keyed: false, firstCustomer: 500 } as const;
const bodiesOf = (seed: number, traffic: Parameters<typeof requestsOf>[0] = orders): OrderBody[] => {
  const next = requestsOf(traffic, seed);
  return Array.from({ length: 200 }, () => JSON.parse(next().body as string) as OrderBody);
};
interface OrderBody {
  customerId: number;
  items: { productId: number; quantity: number }[];
}

test('the same seed sends the same orders, so all contestants get the same ones', () => {
  expect(bodiesOf(7)).toEqual(bodiesOf(7));
  expect(bodiesOf(7)).not.toEqual(bodiesOf(8));
});

test('an order has two different products of the thousand, and a customer of its own', () => {
  const bodies = bodiesOf(1);
  expect(new Set(bodies.map(({ customerId }) => customerId)).size).toBe(200);
  for (const { items } of bodies) {
    expect(new Set(items.map(({ productId }) => productId)).size).toBe(2);
    for (const { productId, quantity } of items) {
      expect(productId >= 1 && productId <= 1_000).toBe(true);
      expect(quantity >= 1 && quantity <= 3).toBe(true);
    }
  }
  expect(new Set(bodies.flatMap(({ items }) => items.map(({ productId }) => productId))).size).toBeGreaterThan(250);
});

test('a hot order holds product 1, and a keyed one has a key of its own', () => {
  expect(bodiesOf(1, { ...orders, hot: true }).every(({ items }) => items[0]?.productId === 1)).toBe(true);
  const next = requestsOf({ ...orders, keyed: true }, 1);
  const keys = Array.from({ length: 50 }, () => next().headers['idempotency-key']);
  expect(new Set(keys).size).toBe(50);
  expect(keys).not.toContain(undefined);
});

test('reads ask for ids that exist', () => {
  const next = requestsOf({ kind: 'reads', path: '/orders/*', first: 40, step: 4, count: 3 }, 1);
  const asked = new Set(Array.from({ length: 100 }, () => next().path));
  expect([...asked].toSorted()).toEqual(['/orders/40', '/orders/44', '/orders/48']);
});

test('processor time is read correctly for a command with spaces and parentheses', () => {
  const stat = '4711 (a) b (c) S 17 1 1 0 -1 4194304 100 0 0 0 250 50 30 20 20 0 11 0 100 0 0';
  expect(processTime(stat)).toEqual({ parent: 17, ticks: 300, endedTicks: 50 });
});

test('the cost per order is the usage divided by the orders; unknown usage stays unknown', () => {
  const before: Reading = { processUs: 1_000, postgresUs: null, walBytes: 500, writes: 10, statements: null };
  const after: Reading = { processUs: 3_000, postgresUs: null, walBytes: 2_500, writes: 12, statements: null };
  const known = { processUs: 200, walBytes: 200, writes: 0.2 };
  expect(costOf(before, after, 10)).toEqual({ ...known, postgresUs: null, statements: null });
  expect(costOf(before, after, 0).walBytes).toBeNull();
});

test('every scenario can be selected by name; without names all but the soak run', () => {
  const names = Object.keys(SCENARIOS);
  expect(Object.keys(RUNS).toSorted()).toEqual(names.toSorted());
  expect(readOptions(['--only', names.join(',')]).only).toEqual(names);
  expect(readOptions([]).only).toEqual(names.filter((name) => name !== 'soak'));
});

test('an invalid value is refused with a hint what to give instead', () => {
  expect(() => readOptions(['--only', 'fast'])).toThrow(/no scenario 'fast': give some of uniform/);
  expect(() => readOptions(['--rounds', '0'])).toThrow(/--rounds 0 cannot be used: give a whole number from 1/);
  expect(() => readOptions(['--orders', '1e3,many'])).toThrow(/--orders many/);
  expect(() => readOptions(['--set', 'nonsense'])).toThrow(/NAME=value/);
  expect(() => readOptions(['--fast'])).toThrow(/--fast/);
});

test('a run announces about how long it will take', () => {
  const short = readOptions([
    '--only',
    'uniform',
    '--rounds',
    '1',
    '--seconds',
    '1',
    '--warmup',
    '0',
    '--baseline-pool',
    '8',
  ]);
  expect(estimateSeconds(short)).toBeLessThan(20);
  expect(estimateSeconds(readOptions([]))).toBeGreaterThan(estimateSeconds(readOptions(['--only', 'uniform'])));
});
