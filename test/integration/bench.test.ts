/** The benchmark runs, tells what it measured, and leaves nothing behind. */
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { BaselineContestant } from '../bench/baseline/contestant.ts';
import { Bench } from '../bench/bench.ts';
import type { Fact, Turn } from '../bench/figures.ts';
import { Ground } from '../bench/ground.ts';
import { readOptions } from '../bench/options.ts';
import type { Comparison } from '../bench/statistics.ts';
import { WaybillContestant } from '../bench/waybill.ts';
import { startScript } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import type { Program } from '../support/process/program.ts';
import { createDatabase, query } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SHORT = '--only uniform --seconds 1 --rounds 1 --warmup 0 --connections 4 --baseline-pool 4';

interface Result {
  valid: boolean;
  invalid: string[];
  comparisons: Comparison[];
  facts: Fact[];
  turns: Turn[];
  options: { seconds: number };
  where: { cores: number; node: string; commit: string | null; postgres: Record<string, string> };
}

let folder: string;
let server: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await createDatabase();
});

function bench(options: string): Program {
  return startScript('test/bench/main.ts', [...options.split(' '), '--folder', folder], { DATABASE_URL: server });
}

/** Databases and sessions of runs, and files. */
async function remains(): Promise<unknown[]> {
  const left: unknown[] = await query(
    server,
    `SELECT datname FROM pg_database WHERE datname LIKE 'waybill_bench_%'
     UNION ALL SELECT application_name FROM pg_stat_activity WHERE datname LIKE 'waybill_bench_%'`,
  );
  return left.concat((await readdir(folder)).filter((name) => name.startsWith('waybill-bench-')));
}

test('a short run measures both sides on a durable server, balances the books and writes figures and chart', async () => {
  const out = join(folder, 'figures.json');
  const run = bench(`${SHORT} --out ${out}`);
  const { code } = await run.exited;
  const output = [...run.stdout, ...run.stderr].join('\n');
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('The books balance.') });
  const result = JSON.parse(await readFile(out, 'utf8')) as Result;
  expect([result.valid, result.invalid, result.options.seconds]).toEqual([true, [], 1]);
  expect(result.comparisons.map(({ title }) => title)).toEqual(['orders', 'p99']);
  for (const { left, right, ratio } of result.comparisons) {
    expect([left.name, right.name]).toEqual(['waybill', 'baseline']);
    expect(left.median > 0 && right.median > 0 && ratio > 0).toBe(true);
  }
  for (const { load, cost } of result.turns) {
    expect(load.answers).toEqual({ 201: load.ok });
    expect(cost.walBytes).toBeGreaterThan(100);
    if (process.platform === 'linux') expect((cost.processUs ?? 0) * (cost.postgresUs ?? 0)).toBeGreaterThan(0);
  }
  expect(result.where.postgres).toMatchObject({ fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' });
  expect(await readFile(join(folder, 'figures.svg'), 'utf8')).toMatch(/^<svg [\s\S]*uniform: orders[\s\S]*<\/svg>\n$/);
  expect(await remains()).toEqual([]);
});

test('a run that is interrupted stops and removes everything it has started', async () => {
  const out = join(folder, 'cut-off.json');
  const run = bench(`${SHORT} --seconds 60 --out ${out}`);
  await eventually(() => expect(run.stdout.join('\n')).toMatch(/uniform:/), { withinMs: 20_000 });
  await eventually(
    async () =>
      expect(await query(server, `SELECT FROM pg_database WHERE datname ~ 'waybill_bench_baseline'`)).toHaveLength(1),
    { withinMs: 20_000 },
  );
  expect((await run.kill('SIGINT')).code).toBe(130);
  await expect(access(out)).rejects.toThrow('ENOENT');
  expect(await remains()).toEqual([]);
});

/** Where the database with this label is. */
async function databaseOf(label: string): Promise<string> {
  const [found] = await query<{ datname: string }>(server, 'SELECT datname FROM pg_database WHERE datname LIKE $1', [
    `waybill_bench_${label}_%`,
  ]);
  const url = new URL(server);
  url.pathname = `/${found?.datname}`;
  return url.href;
}

test('generated orders are equivalent to placed ones, and books that do not balance invalidate the figures', async () => {
  const ground = await Ground.open(server, folder);
  try {
    const run = new Bench(readOptions(['--warmup', '0']), ground, () => undefined);
    const contestants = [
      [await WaybillContestant.start(ground, { set: {} }), 'orders.orders', 'tracking.shipments', 'inventory.products'],
      [await BaselineContestant.start(ground, 2), 'orders', 'shipments', 'products'],
    ] as const;
    for (const [contestant, orders, shipments, products] of contestants) {
      const { invalid } = run.figures;
      await contestant.generate(200, () => undefined);
      await run.check(contestant, 'generating');
      expect(invalid.splice(0)).toEqual([]);
      const { path, first, step } = contestant.orderReads();
      const order = await fetch(`${contestant.urls[0]}${path.replace('*', String(first + 199 * step))}`);
      expect([order.status, await order.json()]).toMatchObject([200, { status: 'CONFIRMED' }]);
      const url = await databaseOf(contestant.name);
      await query(url, `DELETE FROM ${shipments} WHERE order_id = (SELECT min(order_id) FROM ${shipments})`);
      await query(
        url,
        `UPDATE ${products} SET quantity = quantity - 1, ${products.includes('.') ? 'reserved_quantity = reserved_quantity' : 'reserved = reserved'} + 1 WHERE id = 7`,
      );
      contestant.tally.accepted += 3;
      await run.check(contestant, 'tampering');
      expect(invalid.splice(0).map((fault) => fault.replace(/^.*: /, ''))).toEqual([
        expect.stringMatching(/^1 .*shipment/),
        '1 products have not reserved what was ordered',
        '3 orders that were answered 201 are not confirmed',
      ]);
      await query(url, `TRUNCATE ${orders} CASCADE`);
      await run.check(contestant, 'losing everything');
      expect(invalid.splice(0).join()).toContain('203 orders that were answered 201 are not confirmed');
    }
  } finally {
    await ground.close();
  }
  expect(await remains()).toEqual([]);
});

test('a server without durable commits yields no valid figures', async () => {
  const careless = new URL(server);
  careless.searchParams.set('options', '-c synchronous_commit=off');
  for (const [url, weaknesses] of [
    [server, []],
    [careless.href, ['synchronous_commit is off on this server: a commit is not durable']],
  ] as const) {
    const ground = await Ground.open(url, folder);
    const found = await ground.weaknesses();
    await ground.close();
    expect(found).toEqual(weaknesses);
  }
});

test('invalid usage of the command line is refused with a hint, and nothing is started', async () => {
  const run = bench('--only fast');
  expect((await run.exited).code).toBe(2);
  expect(run.stderr.join('\n')).toMatch(/no scenario 'fast'[\s\S]*npm run bench/);
});
