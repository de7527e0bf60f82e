/** A machine whose clock is not the database's: a little is corrected, and with too much it gives work to others. */
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { http } from '../support/http.ts';
import { createDatabase, query } from '../support/postgres.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

const MOVED_CLOCK = fileURLToPath(new URL('../support/moved-clock.mjs', import.meta.url));

let url: string;
let waybill: Waybill;
beforeAll(async () => {
  url = await createDatabase();
  waybill = await startWaybill({ env: { DATABASE_URL: url }, preload: [MOVED_CLOCK] });
}, 60_000);

async function offsetOf(schema: string): Promise<number> {
  const { body } = await http<string>('GET', `${waybill.url}/metrics`);
  return Number(new RegExp(`waybill_clock_offset_seconds\\{[^}]*schema="${schema}"[^}]*\\} (\\S+)`).exec(body)?.[1]);
}

async function place(customerId: number): Promise<number> {
  const body = {
    customerId,
    items: [{ productId: 1, quantity: 1 }],
    deliveryAddress: '1 Harbour Street',
    carrier: 'DHL',
  };
  return (await http<{ orderId: number }>('POST', `${waybill.url}/api/v1/orders`, { body })).body.orderId;
}

const ready = () => http<{ missing?: string[] }>('GET', `${waybill.url}/health/ready`);

test('a clock that is slightly ahead is measured, and orders carry the time of the database', async () => {
  for (const schema of ['orders', 'inventory', 'tracking']) expect(Math.abs(await offsetOf(schema))).toBeLessThan(1);
  waybill.signal('SIGUSR2');
  await eventually(async () => expect(await offsetOf('orders')).toBeGreaterThan(2));
  const id = await place(1);
  const [age] = await query<{ seconds: number }>(
    url,
    'SELECT extract(epoch FROM clock_timestamp() - order_date)::float8 AS seconds FROM orders.orders WHERE id = $1',
    [id],
  );
  expect(age?.seconds).toBeGreaterThan(-1);
  expect((await ready()).status).toBe(200);
});

test('a node whose clock is too far ahead logs it once, is not ready and takes no work until the clock is right again', async () => {
  const id = await place(2);
  const atRest = 'SELECT FROM orders.orders WHERE id = $1 AND due_at IS NULL';
  await eventually(async () => expect(await query(url, atRest, [id])).toHaveLength(1));
  waybill.signal('SIGUSR2');
  await eventually(async () => expect(await ready()).toMatchObject({ status: 503, body: { missing: ['clock'] } }));
  // Each service compares the clock itself.
  const told = (): string[] => waybill.lines.filter((line) => /The clock .* the database of orders/.test(line));
  await eventually(() => expect(told()).toHaveLength(1));
  const LONG_AGO = "'2026-01-01'";
  const untouched = `SELECT FROM orders.orders WHERE id = $1 AND due_at = ${LONG_AGO}`;
  await query(url, `UPDATE orders.orders SET due_at = ${LONG_AGO} WHERE id = $1`, [id]);
  // By then recovery has come by several times.
  const held = `SELECT FROM orders.leases WHERE name = 'relay' AND until > now()`;
  await eventually(async () => expect(await query(url, held)).toEqual([]));
  expect(await query(url, untouched, [id])).toHaveLength(1);

  waybill.signal('SIGUSR2');
  await eventually(async () => expect((await ready()).status).toBe(200));
  await eventually(async () => expect(await query(url, untouched, [id])).toEqual([]));
  expect(told()).toEqual([
    expect.stringMatching(
      /The clock of this machine is (19|20)\.\d s ahead of the database of orders: it takes no work until/,
    ),
    expect.stringMatching(/The clock of this machine is right again: 0\.\d s/),
  ]);
});
