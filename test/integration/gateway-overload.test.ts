/** A gateway whose engine is overloaded: refusals cost next to nothing, and requests are admitted again automatically. */
import { expect, test } from '@jest/globals';
import { Overloaded } from '../../machines/shared/failure.ts';
import { eventually } from '../support/eventually.ts';
import { get, ORDER, ORDER_BODY, peers, post, useGateway } from '../support/gateway.ts';

useGateway();

const place = () => post('/orders', ORDER_BODY);

test('after one refusal orders are refused unread for a moment, then accepted again', async () => {
  let full = true;
  let calls = 0;
  peers.next = () => {
    calls++;
    if (full) throw new Overloaded('The engine is at capacity: retry later');
    return { order: ORDER, replayed: false };
  };
  const refused = [await place(), ...(await Promise.all(Array.from({ length: 50 }, place)))];
  for (const { status, headers, json } of refused) {
    expect([status, headers['retry-after'], headers['x-error-type']]).toEqual([503, '1', 'OVERLOADED']);
    expect(json).toEqual({ error: 'Service Unavailable', message: expect.stringMatching(/retry later$/) });
  }
  expect(calls).toBeGreaterThan(0);
  expect(calls).toBeLessThan(refused.length);
  full = false;
  await eventually(async () => expect((await place()).status).toBe(201));
});

test('an overloaded engine refuses only new orders: everything else is answered', async () => {
  peers.next = () => {
    throw new Overloaded('The engine is at capacity: retry later');
  };
  expect((await place()).status).toBe(503);
  peers.next = undefined;
  expect((await get('/orders/7')).status).toBe(200);
});
