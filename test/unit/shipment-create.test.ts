/** An order has one shipment: its contents, and the answer to a repeated request. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IllegalTransition, OrderIdReused } from '../../machines/shared/failure.ts';
import { createOutcome, newShipment } from '../../machines/shipment/shipment.create.ts';
import {
  parseTrackingNumber,
  TRACKING_RANDOM_BYTES,
  trackingNumberOf,
  trackingUuidOf,
} from '../../machines/shipment/tracking-number.ts';

// A Monday.
const MADE_AT = Date.UTC(2026, 10, 23, 9);
const request = { orderId: 7, deliveryAddress: '12 St James Square, London', carrier: 'DHL' };
const random = (byte: number) => new Uint8Array(TRACKING_RANDOM_BYTES).fill(byte);
const first = newShipment(request, random(1), MADE_AT);

test('a new shipment has a number, an estimate and an event, and the same random bytes yield the same number', () => {
  const trackingNumber = trackingNumberOf(first.parcel.uuid);
  expect(first).toMatchObject({ orderId: 7, status: 'CREATED', seq: 1, customerId: null, customerName: null });
  expect(first.createdAt).toBe('2026-11-23T09:00:00.000Z');
  expect(first.parcel.estimatedDelivery).toBe('2026-11-25T18:00:00.000Z');
  expect(first.announcement).toEqual({
    id: 'shipment-7-1',
    type: 'shipment.updated',
    key: 'shipment-7',
    at: first.createdAt,
    data: {
      orderId: 7,
      trackingNumber,
      carrier: 'DHL',
      status: 'CREATED',
      location: null,
      estimatedDelivery: first.parcel.estimatedDelivery,
    },
  });
  expect(newShipment(request, random(1), MADE_AT)).toEqual(first);
});

test('a repeated request is answered with the existing shipment', () => {
  const again = newShipment({ ...request, customerId: 3 }, random(2), MADE_AT + 86_400_000);
  expect(again.parcel.uuid).not.toBe(first.parcel.uuid);
  expect(createOutcome(again, first)).toEqual({
    trackingNumber: trackingNumberOf(first.parcel.uuid),
    estimatedDelivery: first.parcel.estimatedDelivery,
  });
});

test('a request with another carrier or address is refused', () => {
  for (const other of [{ carrier: 'UPS' }, { deliveryAddress: 'elsewhere' }]) {
    const outcome = createOutcome(newShipment({ ...request, ...other }, random(2), MADE_AT), first);
    expect(outcome).toBeInstanceOf(OrderIdReused);
    expect(outcome).toMatchObject({ data: { orderId: 7 } });
  }
});

test('a shipment that was voided, even before it was created, cannot be created again', () => {
  const tombstone = { status: 'VOIDED', parcel: null, deliveryAddress: null };
  for (const voided of [{ ...first, status: 'VOIDED' }, tombstone]) {
    const outcome = createOutcome(first, voided);
    expect(outcome).toBeInstanceOf(IllegalTransition);
    expect(outcome).toMatchObject({ data: { orderId: 7, status: 'VOIDED', allowedEvents: [] } });
  }
});

test('a tracking number contains its order id, in upper or lower case', () => {
  const orderIds = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const bytes = fc.uint8Array({ minLength: TRACKING_RANDOM_BYTES, maxLength: TRACKING_RANDOM_BYTES });
  fc.assert(
    fc.property(orderIds, bytes, (orderId, drawn) => {
      const uuid = trackingUuidOf(orderId, drawn);
      const number = trackingNumberOf(uuid);
      expect(parseTrackingNumber(number)).toEqual({ uuid, orderId });
      expect(parseTrackingNumber(number.toLowerCase())).toEqual({ uuid, orderId });
    }),
  );
});

test('an invalid tracking number contains no order id', () => {
  const { uuid } = first.parcel;
  for (const text of ['', 'TRK-', uuid, `ORD-${uuid}`, `TRK-${uuid}0`, `TRK-${uuid.slice(1)}`, 'TRK-7'])
    expect(parseTrackingNumber(text)).toBeUndefined();
});
