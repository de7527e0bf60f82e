/** The books of the three services held against each other: silent when all is well. */
import { expect, test } from '@jest/globals';
import { bodyOf } from '../support/engine.ts';
import {
  engine,
  cup,
  useBooks,
  reconciliation,
  atRest,
  away,
  makers,
  orderAtRest,
} from '../support/reconciled-books.ts';
import { reservation } from '../support/planted-disagreements.ts';

useBooks();

test('after orders were confirmed, shipped, delivered, cancelled and refused there is nothing to report', async () => {
  await Promise.all(Object.values(makers).flatMap((make) => [make(), make(), make()]));
  const split = { ...bodyOf(cup), items: [3, 1, 2].map((quantity) => ({ productId: cup, quantity })) };
  expect((await engine.post(split)).status).toBe(201);
  await atRest();
  expect(await reconciliation()).toEqual([]);
});

async function ship(orderId: number): Promise<void> {
  await engine.command('ship', orderId);
  await atRest();
}

test('an order that changes between two reads is no disagreement, in the first comparison or the second', async () => {
  const [first, second] = [await orderAtRest('confirmed'), await orderAtRest('confirmed')];
  const consumed = (status: string) => engine.rows(reservation(`status = '${status}'`), [second]);
  let reads = 0;
  engine.disturb('inventory.reservations', async (run) => {
    reads += 1;
    // The orders are read by now.
    await ship(reads === 1 ? first : second);
    if (reads > 1) return run();
    await consumed('CONSUMED');
    const page = await run();
    await consumed('HELD');
    return page;
  });
  expect(await reconciliation()).toEqual([]);
  expect(reads).toBe(2);
});

test('nothing is reported while orders are in progress, however many comparisons are made', async () => {
  const looks = new AbortController();
  const traffic = (async () => {
    while (!looks.signal.aborted) await Promise.all(Object.values(makers).map((make) => make()));
  })();
  for (let i = 0; i < 15; i++) expect(await reconciliation()).toEqual([]);
  looks.abort();
  await traffic;
});

test('what an order still owes is no disagreement', async () => {
  const [shipped, cancelled] = [await orderAtRest('confirmed'), await orderAtRest('confirmed')];
  for (const action of ['inventory.consume', 'inventory.release', 'tracking.void', 'tracking.createShipment'])
    engine.disturb(action, away);
  await engine.command('ship', shipped);
  await engine.command('cancel', cancelled);
  await engine.post(bodyOf(cup));
  engine.disturb('inventory.reserve', away);
  await engine.post(bodyOf(cup));
  expect(await reconciliation()).toEqual([]);
  await engine.restore();
  await atRest();
  expect(await reconciliation()).toEqual([]);
});

test.each(['inventory', 'tracking'])('the answer is 503 that names %s while it is away', async (name) => {
  await engine.takeAway(name);
  const { status, body, headers } = await engine.send('GET', '/reports/reconciliation');
  expect([status, headers.get('retry-after'), body]).toMatchObject([
    503,
    '1',
    { error: 'Service Unavailable', missing: [name] },
  ]);
  await engine.bringBack(name);
  expect(await reconciliation()).toEqual([]);
});
