/** Owed work of orders, as an operator sees and retries it. */
import { expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { engine, useBooks, atRest, away, orderAtRest } from '../support/reconciled-books.ts';
import { forget, setOrder } from '../support/planted-disagreements.ts';

useBooks();

const sent = (id: number | string) =>
  engine.send<{ waitingFor: string | null; status: string }>('POST', `/orders/${id}/retry`);

test('a retry by an operator tries owed work at once, and returns its state', async () => {
  const orderId = await orderAtRest('confirmed');
  engine.disturb('inventory.consume', away);
  await engine.command('ship', orderId);
  await eventually(async () => expect((await engine.explain(orderId)).attempt).toBeGreaterThan(0));
  expect(await sent(orderId)).toMatchObject({ status: 200, body: { status: 'SHIPPED', waitingFor: 'inventory' } });
  await engine.restore();
  await atRest();
  expect(await sent(orderId)).toMatchObject({ status: 200, body: { status: 'SHIPPED', waitingFor: null } });
  expect((await sent(4711)).status).toBe(404);
});

test('the metrics show what is owed, what is parked and how long the oldest order has waited', async () => {
  const [shipped, parked, pending] = [
    await orderAtRest('confirmed'),
    await orderAtRest('confirmed'),
    await orderAtRest('shipped'),
  ];
  const later = `due_at = now() + interval '1 hour', waiting_since = now() - interval`;
  await setOrder(`status = 'SHIPPED', stock_state = 'consuming', ${later} '90 s'`, shipped);
  await setOrder(
    `status = 'CANCELLED', stock_state = 'released', shipment_state = 'voiding', ${later} '20 s'`,
    pending,
  );
  await setOrder(`status = 'SHIPPED', stock_state = 'consuming', parked_at = now(), waiting_since = now()`, parked);
  const { body } = await eventually(async () => {
    const reply = await engine.send<string>('GET', '/../../metrics');
    expect(reply.status).toBe(200);
    return reply;
  });
  expect(body).toContain('waybill_orders_owed{waiting_for="inventory"} 1\n');
  expect(body).toContain('waybill_orders_owed{waiting_for="tracking"} 1\n');
  expect(body).toContain('waybill_orders_parked 1\n');
  expect(Number(/^waybill_orders_oldest_wait_seconds (\S+)$/m.exec(body)?.[1])).toBeGreaterThanOrEqual(90);
  for (const id of [shipped, parked, pending]) await forget(id);
});
