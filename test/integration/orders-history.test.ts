/** The history of an order says who did what, and why. */
import { expect, test } from '@jest/globals';
import type { HistoryEntryView } from '../../services/orders/orders.types.ts';
import { bodyOf, type Engine, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { bearer, customer, SECRET, STAFF } from '../support/tokens.ts';

const actorsOf = (history: readonly HistoryEntryView[]) => history.map(({ event, actor }) => [event, actor]);
const ENGINE = { role: 'engine', subject: 'engine-1' };

async function historyOf(engine: Engine, id: number | undefined, headers = {}): Promise<HistoryEntryView[]> {
  return (await engine.send<HistoryEntryView[]>('GET', `/orders/${id}/history`, { headers })).body;
}

test('without authentication callers are anonymous, and what the engine does by itself names its node', async () => {
  const engine = await startEngine();
  const { body: order } = await engine.post(bodyOf(await engine.product()));
  expect((await engine.send('PUT', `/orders/${order.orderId}/ship`)).status).toBe(204);
  await eventually(async () => expect((await engine.explain(order.orderId)).waitingFor).toBeNull());
  const history = await historyOf(engine, order.orderId);
  expect(actorsOf(history)).toEqual([
    ['PLACE', { role: 'anonymous' }],
    ['SECURED', ENGINE],
    ['SHIP', { role: 'anonymous' }],
    ['STOCK_CONSUMED', ENGINE],
  ]);
  expect(history.map((entry) => Object.keys(entry))).toEqual(
    history.map(() => ['seq', 'event', 'from', 'to', 'at', 'actor', 'detail']),
  );
  await engine.stop();
});

test('with authentication they are named by the role and subject of their token; a cancellation keeps its reason', async () => {
  const engine = await startEngine({ env: { AUTH_JWT_SECRET: SECRET } });
  const ada = customer(7);
  const [hers, staff] = await Promise.all([bearer(ada), bearer(STAFF)]);
  const { body: order } = await engine.post({ ...bodyOf(await engine.product()), customerId: 7 }, hers);
  const cancel = await engine.send('PUT', `/orders/${order.orderId}/cancel`, {
    headers: staff,
    body: { reason: 'the customer called' },
  });
  expect(cancel.status).toBe(204);
  const history = await historyOf(engine, order.orderId, hers);
  expect(actorsOf(history).slice(0, 3)).toEqual([
    ['PLACE', { role: 'customer', subject: ada.subject }],
    ['SECURED', ENGINE],
    ['CANCEL', { role: 'staff', subject: STAFF.subject }],
  ]);
  expect(history[2]?.detail).toEqual({ reason: 'the customer called' });
  await engine.stop();
});

test('a reason that is too long, not a text, or given for another command is refused, and nothing changes', async () => {
  const engine = await startEngine();
  const { body: order } = await engine.post(bodyOf(await engine.product()));
  const faultsOf = async (command: string, body: object): Promise<unknown> => {
    const reply = await engine.send<{ details: { field: string }[] }>('PUT', `/orders/${order.orderId}/${command}`, {
      body,
    });
    return [reply.status, reply.body.details.map(({ field }) => field)];
  };
  expect(await faultsOf('cancel', { reason: 'x'.repeat(501) })).toEqual([400, ['reason']]);
  expect(await faultsOf('cancel', { reason: 7, why: 'x' })).toEqual([400, ['reason', 'why']]);
  expect(await faultsOf('cancel', { ifMatch: ['*'], id: 1 })).toEqual([400, ['ifMatch', 'id']]);
  expect(await faultsOf('ship', { reason: 'now' })).toEqual([400, ['reason']]);
  expect(await engine.order(order.orderId)).toMatchObject({ status: 'CONFIRMED' });
  expect((await engine.send('PUT', `/orders/${order.orderId}/cancel`, { body: {} })).status).toBe(204);
  await engine.stop();
});

test('entries of earlier versions have no actor, and are shown with null', async () => {
  const engine = await startEngine();
  const { orderId } = await engine.confirmed(await engine.product());
  await engine.rows('UPDATE orders.order_history SET actor = NULL WHERE order_id = $1', [orderId]);
  expect((await historyOf(engine, orderId)).map(({ actor }) => actor)).toEqual([null, null]);
  await engine.stop();
});
