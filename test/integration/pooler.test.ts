/** Behind a pooler: starts, restarts, orders; nothing that it refuses, and nothing that is left in its sessions. */
import { expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { http } from '../support/http.ts';
import { createDatabase, query } from '../support/postgres.ts';
import { poolerVersion, startPooler } from '../support/pooler.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

const MANY = 40;

const behindPooler = poolerVersion() === undefined ? test.skip : test;
const inTransactionMode = (poolerVersion() ?? 0) < 121 ? test.skip : test;

let lastCustomer = 0;
async function place({ url }: Waybill): Promise<number> {
  const items = [{ productId: 1, quantity: 1 }];
  const body = { customerId: ++lastCustomer, items, deliveryAddress: '1 Harbour Street, Cork', carrier: 'DHL' };
  return (await http('POST', `${url}/api/v1/orders`, { body })).status;
}

const placeMany = (waybill: Waybill) => Promise.all(Array.from({ length: MANY }, () => place(waybill)));

behindPooler(
  'in session mode nodes start, one after the other too, and orders outlive a restart of the pooler',
  async () => {
    const url = await createDatabase();
    const pooler = await startPooler(url, { pool_mode: 'session' });
    const env = { DATABASE_URL: pooler.url };
    const first = await startWaybill({ env });
    expect(await placeMany(first)).toEqual(Array.from({ length: MANY }, () => 201));
    const second = await startWaybill({ env });
    expect(await placeMany(second)).toEqual(Array.from({ length: MANY }, () => 201));

    await pooler.restart();
    const afterwards = await placeMany(first);
    expect(afterwards.filter((status) => status !== 201 && status !== 503)).toEqual([]);
    await eventually(async () => expect(await place(first)).toBe(201));
    const open = `SELECT id FROM orders.orders WHERE status <> 'CONFIRMED'`;
    await eventually(async () => expect(await query(url, open)).toEqual([]), { withinMs: 15_000 });
  },
  90_000,
);

inTransactionMode(
  'in transaction mode too, from 1.21 on',
  async () => {
    const url = await createDatabase();
    const pooler = await startPooler(url, { pool_mode: 'transaction', max_prepared_statements: '200' });
    const env = { DATABASE_URL: pooler.url };
    const first = await startWaybill({ env });
    const second = await startWaybill({ env });
    const answers = [...(await placeMany(first)), ...(await placeMany(second)), ...(await placeMany(first))];
    expect(answers).toEqual(answers.map(() => 201));
    await first.stop();
    const third = await startWaybill({ env });
    expect(await placeMany(third)).toEqual(Array.from({ length: MANY }, () => 201));
  },
  90_000,
);
