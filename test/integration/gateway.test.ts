/** The gateway over real HTTP: what goes in, and what comes out. */
import { describe, expect, test } from '@jest/globals';
import { InsufficientStock } from '../../machines/order/order.failures.ts';
import { get, ORDER, ORDER_BODY, peers, post, PRODUCT, put, send, useGateway } from '../support/gateway.ts';

useGateway();

describe('orders', () => {
  test('POST answers 201 with Location and the order, amounts with two decimals', async () => {
    const answer = await post('/orders', ORDER_BODY);
    expect(answer.status).toBe(201);
    expect(answer.headers.location).toBe('/api/v1/orders/7');
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
    expect(answer.json).toEqual(ORDER);
    expect(answer.text).toContain('"totalPrice":19.90');
    expect(answer.text).toContain('"priceAtPurchase":5.00');
    expect(peers.seen?.params).toEqual(ORDER_BODY);
    expect(peers.seen?.meta.idempotencyKey).toBeUndefined();
  });

  test('the idempotency key and the request id travel with the call, and a replay says so', async () => {
    peers.next = () => ({ order: ORDER, replayed: true, warning: 'no shipment yet' });
    const answer = await post('/orders', ORDER_BODY, { 'Idempotency-Key': 'k-1', 'X-Request-ID': 'r-1' });
    expect(peers.seen?.meta).toMatchObject({ idempotencyKey: 'k-1', requestID: 'r-1' });
    expect(answer.headers['idempotent-replayed']).toBe('true');
    expect(answer.json).toEqual({ ...ORDER, warning: 'no shipment yet' });
  });

  test.each(['', 'a b', 'x'.repeat(256), 'é'])('the idempotency key %j is refused', async (key) => {
    const answer = await post('/orders', ORDER_BODY, { 'Idempotency-Key': Buffer.from(key).toString('latin1') });
    expect(answer.status).toBe(400);
    expect(answer.json.details).toEqual([expect.objectContaining({ field: 'Idempotency-Key' })]);
    expect(peers.seen).toBeUndefined();
  });

  test('a stored failure is replayed with the header and without the mark', async () => {
    peers.next = () => {
      throw new InsufficientStock('Product ID 1 has insufficient stock', {
        unavailableProducts: [1],
        orderId: 7,
        replayed: true,
        error: 'never',
        message: 'never',
      });
    };
    const answer = await post('/orders', ORDER_BODY);
    expect(answer.status).toBe(400);
    expect(answer.headers['idempotent-replayed']).toBe('true');
    expect(answer.json).toEqual({
      error: 'Insufficient stock',
      message: 'Product ID 1 has insufficient stock',
      unavailableProducts: [1],
      orderId: 7,
    });
  });

  test('GET passes the id as given and answers with a strong tag', async () => {
    const answer = await get('/orders/ORD-abc/');
    expect(peers.seen).toMatchObject({ action: 'orders.get', params: { id: 'ORD-abc' } });
    expect(answer.headers.etag).toBe('"4"');
    expect(answer.json).toEqual(ORDER);
  });

  test.each(['"4"', 'W/"4"', '"3", "4"', '*', '4'])('If-None-Match: %s answers 304 without a body', async (tag) => {
    const answer = await get('/orders/7', { 'if-none-match': tag, 'cache-control': 'no-cache' });
    expect([answer.status, answer.text, answer.headers.etag]).toEqual([304, '', '"4"']);
    expect(answer.headers['x-request-id']).toBeDefined();
  });

  test.each(['"5"', '"44"', '""'])('If-None-Match: %s answers the order', async (tag) => {
    expect((await get('/orders/7', { 'if-none-match': tag })).status).toBe(200);
  });

  test.each(['cancel', 'ship', 'deliver'])('PUT %s answers 204 and passes the condition on', async (command) => {
    const plain = await put(`/orders/7/${command}`);
    expect([plain.status, plain.text]).toEqual([204, '']);
    expect(peers.seen).toMatchObject({ action: `orders.${command}` });
    expect(peers.seen?.params).toEqual({ id: '7' });
    await put(`/orders/7/${command}`, {}, { 'if-match': '"4", W/"5"' });
    expect(peers.seen?.params).toEqual({ id: '7', ifMatch: ['4', 'W/"5"'] });
    await put(`/orders/7/${command}`, undefined, { 'if-match': '*' });
    expect(peers.seen?.params).toEqual({ id: '7', ifMatch: ['*'] });
  });

  test('a condition that cannot be read is refused, not skipped', async () => {
    for (const header of ['', '"4', '"4" "5"']) {
      expect((await put('/orders/7/cancel', undefined, { 'if-match': header })).status).toBe(400);
    }
    expect(peers.seen).toBeUndefined();
  });

  test('the list of a customer is an array that links its next page', async () => {
    const answer = await get('/orders/customer/12?limit=1');
    expect(peers.seen?.params).toEqual({ customerId: 12, limit: 1 });
    expect(answer.json).toEqual([{ orderId: 7, totalPrice: 1 }]);
    const link = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
    expect(link?.startsWith('/api/v1/orders/customer/12?')).toBe(true);
    await send('GET', link as string);
    expect(peers.seen?.params).toEqual({ customerId: 12, limit: 1, cursor: 'n=/+ x' });
  });

  test('the search converts its numbers and passes the page through', async () => {
    const answer = await get('/orders?status=CONFIRMED&customerId=1&minTotal=9.90&from=2026-01-01T00:00:00Z&limit=5');
    expect(peers.seen?.params).toEqual({
      status: 'CONFIRMED',
      customerId: 1,
      minTotal: 9.9,
      from: '2026-01-01T00:00:00Z',
      limit: 5,
    });
    expect(answer.json).toEqual({ orders: [ORDER], next: 'c2' });
  });

  test('every fault of a query is named at once', async () => {
    const answer = await get('/orders?limit=ten&bogus=1&minTotal=1.234&status=A&status=B&ifMatch=4');
    expect(answer.status).toBe(400);
    const fields = answer.json.details.map((fault: { field: string }) => fault.field);
    expect(fields).toEqual(['limit', 'bogus', 'minTotal', 'status', 'ifMatch']);
    expect(peers.seen).toBeUndefined();
  });

  test('history and explain are passed on', async () => {
    expect((await get('/orders/7/history')).json).toEqual([{ seq: 1 }]);
    expect((await get('/orders/7/explain')).json).toEqual({ status: 'CONFIRMED' });
    expect(peers.seen?.params).toEqual({ id: '7' });
  });
});

describe('inventory and tracking', () => {
  test('a product is made with 201 and Location, read, changed and stocked', async () => {
    const made = await post('/inventory', { sku: 'A', name: 'Cup', price: 4.5 });
    expect([made.status, made.headers.location]).toEqual([201, '/api/v1/inventory/3']);
    expect(made.text).toContain('"price":4.50');
    const list = await get('/inventory?limit=2');
    expect([list.json, list.headers.link]).toEqual([[PRODUCT], undefined]);
    await get('/inventory/3');
    expect(peers.seen?.params).toEqual({ id: 3 });
    await put('/inventory/3', { name: 'Mug' });
    expect(peers.seen).toMatchObject({ action: 'inventory.update', params: { id: 3, name: 'Mug' } });
    expect((await post('/inventory/3/addStock', { amount: 4 })).status).toBe(200);
    expect(peers.seen?.params).toEqual({ id: 3, amount: 4 });
    const set = await put('/inventory/3/stock', { quantity: 4, reason: 'count' });
    expect([set.status, set.text]).toEqual([200, expect.stringContaining('"price":4.50')]);
    expect(peers.seen).toMatchObject({ action: 'inventory.setStock', params: { id: 3, quantity: 4, reason: 'count' } });
    await get('/inventory?sku=A');
    expect(peers.seen?.params).toEqual({ sku: 'A' });
    expect((await get('/tracking?orderId=17')).json).toEqual([{ trackingNumber: 'TRK-1' }]);
    expect(peers.seen?.params).toEqual({ orderId: 17 });
  });

  test.each(['reserve', 'release', 'consume'])('%s answers 200 without the prices that peers get', async (command) => {
    const answer = await post(`/inventory/${command}`, { orderId: 1, items: [] });
    expect([answer.status, answer.json]).toEqual([
      200,
      { success: true, message: 'reserved', unavailableProducts: [] },
    ]);
  });

  test.each(['abc', '0', '-1', '1.5', '01', '9007199254740993', '%31%zz', '1e3'])(
    'there is no product %s',
    async (id) => {
      const answer = await get(`/inventory/${id}`);
      expect([answer.status, answer.json.error]).toEqual([404, 'Not Found']);
      expect(peers.seen).toBeUndefined();
    },
  );

  test('a body cannot overrule the path', async () => {
    const answer = await put('/inventory/3', { id: 4, name: 'Mug' });
    expect(answer.json.details).toEqual([expect.objectContaining({ field: 'id', type: 'unknown' })]);
    expect((await post('/tracking/TRK-1/events', { status: 'X', trackingNumber: 'TRK-2' })).status).toBe(400);
    expect(peers.seen).toBeUndefined();
  });

  test('shipments and their events are made with 201, free fields kept', async () => {
    const made = await post('/tracking/shipment', { orderId: 1 });
    expect([made.status, made.headers.location]).toEqual([201, '/api/v1/tracking/TRK-1']);
    expect((await get('/tracking/TRK-1')).json).toEqual({ trackingNumber: 'TRK-1' });
    const event = await post('/tracking/TRK-1/events', {
      status: 'IN_TRANSIT',
      trackingNumber: 'TRK-1',
      scale: { kg: 2 },
    });
    expect(event.status).toBe(201);
    expect(peers.seen?.params).toEqual({ trackingNumber: 'TRK-1', status: 'IN_TRANSIT', scale: { kg: 2 } });
  });
});
