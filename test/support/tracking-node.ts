/** Tracking in this process on real PostgreSQL, and what a test asks of it. */
import { beforeAll, expect } from '@jest/globals';
import { ServiceBroker } from 'moleculer';
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { shareStream, type StreamShare } from '../../mixins/events/stream/shared-stream.ts';
import tracking from '../../services/tracking/tracking.service.ts';
import type {
  AddEventParams,
  AddEventResult,
  CreateShipmentParams,
  CreateShipmentResult,
  ShipmentResult,
  VoidShipmentResult,
} from '../../services/tracking/tracking.types.ts';
import { createDatabase, query } from './postgres.ts';
import { programBroker } from './broker.ts';
import { afterTheFile } from './endings.ts';

export let broker: ServiceBroker;
export const heard: DomainEvent<'shipment.updated'>[] = [];
export let databaseUrl: string;
export let stream: StreamShare;
let lastOrderId = 7_000_000_000;
export const nextOrderId = (): number => ++lastOrderId;

/** Starts tracking before a file's tests, and a listener to its events. */
export function useTracking(): void {
  beforeAll(async () => {
    databaseUrl = await createDatabase();
    broker = programBroker({ NODEID: 'tracking-test', DATABASE_URL: databaseUrl });
    broker.createService(tracking);
    broker.createService({
      name: 'listener',
      events: { 'shipment.updated': (ctx: { params: DomainEvent<'shipment.updated'> }) => void heard.push(ctx.params) },
    });
    stream = shareStream(broker);
    await broker.start();
    afterTheFile(() => stream.release());
  });
}

export const newOrder = (changes: Partial<CreateShipmentParams> = {}): CreateShipmentParams => ({
  orderId: nextOrderId(),
  customerName: 'Ada Lovelace',
  deliveryAddress: '12 St James Square, London',
  carrier: 'DHL',
  ...changes,
});
export const create = (params: CreateShipmentParams) =>
  broker.call<CreateShipmentResult, CreateShipmentParams>('tracking.createShipment', params);
export const get = (trackingNumber: string) =>
  broker.call<ShipmentResult, { trackingNumber: string }>('tracking.get', { trackingNumber });
export const add = (params: AddEventParams) => broker.call<AddEventResult, AddEventParams>('tracking.addEvent', params);
export const voidOf = (orderId: number) =>
  broker.call<VoidShipmentResult, { orderId: number }>('tracking.void', { orderId });
export const publish = (type: 'order.shipped' | 'order.delivered', orderId: number, id = `order-${orderId}-${type}`) =>
  stream.stream.publish({
    id,
    type,
    key: `order-${orderId}`,
    at: '2026-11-22T10:00:00.000Z',
    data: { orderId, orderNumber: 'ORD-1', customerId: 1, status: 'SHIPPED', seq: 3, totalPrice: 1 },
  });
export const statuses = (shipment: ShipmentResult) => shipment.events.map((event) => event.status);
export const heardOf = (orderId: number) => heard.filter((event) => event.key === `shipment-${orderId}`);

/** How many outbox rows were ever written: one a batch. */
export async function batches(): Promise<number> {
  const rows = await query<{ last: string }>(
    databaseUrl,
    'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last FROM tracking.outbox_id_seq',
  );
  return Number(rows[0]?.last);
}

/** The fields that a call's faults name, sorted. */
export async function faultsOf(call: Promise<unknown>): Promise<string[]> {
  const error = await call.then(
    () => undefined,
    (thrown: { type: string; data: { details: { field: string }[] } }) => thrown,
  );
  expect(error?.type).toBe('VALIDATION_FAILED');
  return (error?.data.details ?? []).map((fault) => fault.field).toSorted();
}
