/** machine:check restores every order without touching it, and names those that this code cannot go on with. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { uuidOf } from '../../machines/shared/ids.ts';
import { place } from '../../machines/order/order.decide.ts';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
import { migrate } from '../../mixins/database/migrations.ts';
import { checkMachine, machineCheck } from '../../services/orders/machine-check.command.ts';
import { migrations } from '../../services/orders/migrations/index.ts';
import { OrderStore } from '../../services/orders/store/order.store.ts';
import { startScript } from '../support/child.ts';
import { afterTheTest } from '../support/endings.ts';
import { freePort } from '../support/free-port.ts';
import { createDatabase } from '../support/postgres.ts';

const ORDERS = 5_000;
const FIRST = 1_000_000;
let url: string;
let database: Database;
let store: OrderStore;
const unfit: number[] = [];

beforeAll(async () => {
  url = await createDatabase();
  database = openDatabase(url, 'orders', 4);
  await migrate(database, migrations);
  const terms = { node: 'here', leaseMs: 60_000, ttlMs: 60_000 };
  store = new OrderStore(database, terms, { wrote: () => undefined, unfit: (id) => void unfit.push(id) });
  const request = {
    customerName: null,
    deliveryAddress: 'x',
    carrier: 'DHL',
    requestId: null,
    by: { role: 'anonymous' },
    keyed: false,
  };
  const lines = [{ productId: 1, quantity: 1 }];
  // A group commit lets only so many wait.
  for (let from = 0; from < ORDERS; from += 2_500) {
    await Promise.all(
      Array.from({ length: 2_500 }, (_, i) => {
        const id = FIRST + from + i;
        const decision = place({ ...request, customerId: id, items: lines }, id, uuidOf(id, new Uint8Array(8)), id);
        return store.insert({ decision, caller: 'somebody', key: null, fingerprint: 'a'.repeat(32) });
      }),
    );
  }
});
afterAll(() => database.close());

const fingerprint = async (): Promise<unknown> =>
  (await database.query('SELECT md5(string_agg(o::text, $1 ORDER BY id)) FROM orders.orders o', ['|'])).rows;

/** Puts into a column of an order what no code can go on with; the test's end undoes it. */
async function spoil(id: number, column: 'stock_state' | 'machine_version', value: unknown): Promise<void> {
  const set = (to: unknown) => database.query(`UPDATE orders.orders SET ${column} = $1 WHERE id = $2`, [to, id]);
  const { rows } = await database.query<Record<string, unknown>>(`SELECT ${column} FROM orders.orders WHERE id = $1`, [
    id,
  ]);
  afterTheTest(() => set(rows[0]?.[column]));
  await set(value);
}

/** The command as an operator runs it. */
async function command(databaseUrl: string): Promise<{ code: number | null; output: string }> {
  const child = startScript('services/orders/machine-check.command.ts', [], { DATABASE_URL: databaseUrl });
  const { code } = await child.exited;
  return { code, output: [...child.stdout, ...child.stderr].join('\n') };
}

test('a database whose orders all fit passes, batch by batch, and is not touched', async () => {
  const before = await fingerprint();
  const seen: number[] = [];
  expect(await checkMachine(database, (done) => seen.push(done))).toEqual({ checked: ORDERS, unfit: [] });
  expect(seen).toEqual([2_000, 4_000, 5_000]);
  expect(await fingerprint()).toEqual(before);
});

test('orders that do not fit are listed with the reason, and the exit code says so', async () => {
  await spoil(FIRST + 1, 'stock_state', 'pondering');
  await spoil(FIRST + 4_500, 'machine_version', 99);
  const before = await fingerprint();
  const { code, output } = await command(url);
  expect(code).toBe(1);
  expect(output).toMatch(/order 1000001 \(PENDING_CHECK, stock pondering, .*pondering/);
  expect(output).toMatch(/order 1004500 .*machine version 99.* newer version/);
  expect(output).toContain(`2 of ${ORDERS} orders do not fit`);
  expect(await fingerprint()).toEqual(before);
});

test('recovery skips an unreadable order and takes up the others', async () => {
  await spoil(FIRST + 1, 'stock_state', 'pondering');
  await database.query(`UPDATE orders.orders SET due_at = now() WHERE id IN ($1, $2)`, [FIRST + 1, FIRST + 2]);
  expect((await store.claimDue(10)).map(({ memory }) => memory.id)).toEqual([FIRST + 2]);
  expect(unfit).toEqual([FIRST + 1]);
  const { rows } = await database.query(
    'SELECT owner, attempt, last_error, due_at > now() AS later FROM orders.orders WHERE id = $1',
    [FIRST + 1],
  );
  expect(rows).toEqual([{ owner: null, attempt: 1, last_error: expect.stringContaining('pondering'), later: true }]);
  await expect(store.load(FIRST + 1)).rejects.toThrow('pondering');
});

test('an unreachable database is reported in one line', async () => {
  const { code, output } = await command(`postgres://nobody@127.0.0.1:${await freePort()}/nowhere`);
  expect(code).toBe(1);
  expect(output.trim().split('\n')).toHaveLength(1);
  expect(output).toMatch(/^cannot read the orders: .*ECONNREFUSED/);
});

test('an invalid setting is reported too', async () => {
  const lines: string[] = [];
  expect(await machineCheck((line) => lines.push(line), { LOGLEVEL: 'many' })).toBe(1);
  expect(lines).toEqual([expect.stringContaining('LOGLEVEL=many')]);
});
