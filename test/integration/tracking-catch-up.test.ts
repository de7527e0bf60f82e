/** Tracking catches up with every order whose progress it has not recorded, however many there are, and of whatever size. */
import { beforeAll, expect, test } from '@jest/globals';
import { catchUp } from '../../services/tracking/tracking.subscriptions.ts';
import type { TrackingService } from '../../services/tracking/tracking.context.ts';
import { bodyOf, type Engine, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { query } from '../support/postgres.ts';

/** More lines in all than one page of orders may have, and more shipments than one page of shipments. */
const COPIES = 1_200;
const LINES = 20;

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});

const statuses = async (): Promise<object[]> =>
  await query(
    engine.databaseUrl,
    'SELECT status, count(*)::int AS shipments FROM tracking.shipments GROUP BY 1 ORDER BY 1',
  );

/** Copies a row under the ids that follow its own, each with a number of its own. */
const copy = (table: string, id: string, number: string, of: number): Promise<unknown> =>
  query(
    engine.databaseUrl,
    `INSERT INTO ${table} SELECT (jsonb_populate_record(t, jsonb_build_object('${id}', t.${id} + n, '${number}', gen_random_uuid()))).*
     FROM ${table} t, generate_series(1, ${COPIES}) n WHERE t.${id} = ${of}`,
  );

test('after a lost stream, the shipments of all shipped orders become SHIPPED', async () => {
  const product = await engine.product({ stock: 1_000 });
  const items = Array.from({ length: LINES }, () => ({ productId: product, quantity: 1 }));
  const { status, body } = await engine.post({ ...bodyOf(product), items });
  expect(status).toBe(201);
  const id = body.orderId as number;
  // As if the events of the copies were lost: their orders are SHIPPED, their shipments are not.
  await copy('tracking.shipments', 'order_id', 'tracking_number', id);
  await engine.command('ship', id);
  await eventually(async () => expect(await statuses()).toContainEqual({ status: 'SHIPPED', shipments: 1 }));
  await copy('orders.orders', 'id', 'order_number', id);

  await catchUp(engine.broker.getLocalService('tracking') as unknown as TrackingService);
  expect(await statuses()).toEqual([{ status: 'SHIPPED', shipments: COPIES + 1 }]);
});
