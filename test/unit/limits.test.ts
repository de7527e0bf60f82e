/** The page of limits says what the code does, to the number. */
import { expect, test } from '@jest/globals';
import { MAX_CENTS, moneyToNumber } from '../../machines/shared/money.ts';
import { ValidationFailed } from '../../machines/shared/failure.ts';
import { MAX_HEADER_BYTES, STILL_MS } from '../../mixins/gateway/server/http-server.ts';
import { MAX_WAITING_BYTES } from '../../mixins/gateway/stream/sse.ts';
import * as json from '../../mixins/gateway/request/json-guard.ts';
import {
  addStockParams,
  createParams,
  listParams,
  orderParams,
  setStockParams,
} from '../../services/inventory/inventory.params.ts';
import { cancelOrder, createOrder, MAX_LIMIT } from '../../services/orders/orders.params.ts';
import reports from '../../services/reports/reports.service.ts';
import { MAX_TIMELINE } from '../../machines/shipment/shipment.decide.ts';
import * as tracking from '../../services/tracking/tracking.params.ts';
import { page, plain, rows } from '../support/markdown.ts';

const documented = new Map(
  rows(page('docs/use/limits.md'), /./).flatMap(([what, most]) => {
    const number = /^\d+(?:\.\d+)?/.exec(most ?? '')?.[0];
    return number === undefined ? [] : [[plain(what), Number(number)] as const];
  }),
);

const faults = Array.from({ length: 5_000 }, (_, i) => ({ field: `f${i}`, type: 'x', message: 'x' }));
const reconciliation = reports.actions?.reconciliation as unknown as { params: { limit: { max: number } } };

const LIMITS: Record<string, number> = {
  'address, query and headers of a request, together': MAX_HEADER_BYTES,
  'fields and elements in a body': json.MAX_ENTRIES,
  'nesting levels of objects and arrays in a body': json.MAX_DEPTH,
  'faults listed in details': (ValidationFailed.of(faults).data.details as unknown[]).length,
  'items of an order or a reservation': createOrder.items.max,
  'quantity of an item': createOrder.items.items.props.quantity.max,
  deliveryAddress: createOrder.deliveryAddress.max,
  customerName: createOrder.customerName.max,
  carrier: createOrder.carrier.max,
  'entries of a page of orders': MAX_LIMIT,
  'reason of a cancellation': cancelOrder.reason.max,
  'sku of a product': createParams.sku.max,
  'name of a product': createParams.name.max,
  'description of a product': createParams.description.max,
  'price, and the total of an order': moneyToNumber(MAX_CENTS),
  'amount of one addStock': addStockParams.amount.max,
  'reason of a stock that is set': setStockParams.reason.max,
  'entries of a page of products': listParams.limit.max,
  'location of a shipment event': tracking.addEventParams.location.max,
  'free fields of a shipment event': tracking.MAX_FREE_FIELDS,
  'nesting levels of objects and arrays in a free field': tracking.MAX_DEPTH,
  'details and free fields of a shipment event, together': tracking.MAX_FREE_BYTES,
  'events of a shipment': MAX_TIMELINE,
  'entries of the reconciliation': reconciliation.params.limit.max,
  'what waits for a reader of a stream': MAX_WAITING_BYTES / 2 ** 20,
  'time without any traffic on a connection, for example when an answer is not read': STILL_MS / 60_000,
};

test.each(Object.entries(LIMITS))('the documented limit of: %s, is %d', (what, most) => {
  expect(documented.get(what)).toBe(most);
});

test('every documented limit is checked, here or in the tests of the gateway', () => {
  const headers = ['Idempotency-Key', 'X-Request-ID'];
  expect([...documented.keys()].filter((what) => LIMITS[what] === undefined)).toEqual(headers);
});

test('a reservation and a shipment take as much as the order they are for', () => {
  expect(orderParams.items.max).toBe(createOrder.items.max);
  expect(orderParams.items.items.props.quantity.max).toBe(createOrder.items.items.props.quantity.max);
  for (const field of ['deliveryAddress', 'carrier', 'customerName'] as const)
    expect(tracking.createShipmentParams[field].max).toBe(createOrder[field].max);
});
