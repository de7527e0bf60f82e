/** The stage that makes shipments: one statement a batch, one row a shipment. */
import type pg from 'pg';
import { estimateDelivery } from '../../../machines/shipment/delivery-estimate.ts';
import { IllegalTransition, OrderIdReused, type Failure } from '../../../machines/shared/failure.ts';
import { SHIPMENT_MACHINE_VERSION } from '../../../machines/shipment/shipment.machine.ts';
import { packed, texts, tokens, unpack } from '../../../mixins/database/columns.ts';
import { shipmentUpdated } from '../shipment-updated.ts';
import { newTrackingUuid, trackingNumberOf } from '../tracking-number.ts';
import type { CreateShipmentParams, CreateShipmentResult } from '../tracking.types.ts';

/** A shipment to be made, complete: trying it twice makes it once. */
export interface NewShipment {
  orderId: number;
  uuid: string;
  customerId: number | null;
  customerName: string | null;
  deliveryAddress: string;
  carrier: string;
  createdAt: string;
  estimatedDelivery: string;
  /** Its `shipment.updated`, as JSON. */
  event: string;
}

/** The shipment of the order, made now or before; or why there is none. */
export type CreateOutcome = CreateShipmentResult | Failure;

/** Gives a shipment its number, its estimate and its event. `nowMs` is Unix milliseconds. */
export function newShipment(params: CreateShipmentParams, nowMs: number): NewShipment {
  const { orderId, carrier, deliveryAddress } = params;
  const uuid = newTrackingUuid(orderId);
  const createdAt = new Date(nowMs).toISOString();
  const estimatedDelivery = new Date(estimateDelivery(carrier, nowMs)).toISOString();
  const status = 'CREATED';
  const event = JSON.stringify(
    shipmentUpdated({ orderId, uuid, carrier, status, location: null, estimatedDelivery, seq: 1, at: createdAt }),
  );
  const { customerId = null, customerName = null } = params;
  return { orderId, uuid, customerId, customerName, deliveryAddress, carrier, createdAt, estimatedDelivery, event };
}

// The events of rows that were there before must not go out again, so `told` joins what was really made.
const INSERT = `
  WITH input AS (
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], ${unpack('$8')}, $9::bigint[])
      AS input(order_id, tracking_number, customer_name, delivery_address, carrier, created_at, estimated_delivery, event, customer_id)
  ), made AS (
    INSERT INTO tracking.shipments (order_id, tracking_number, customer_name, delivery_address, carrier, status,
      machine_version, seq, estimated_delivery, created_at, updated_at, customer_id)
    SELECT order_id, tracking_number, customer_name, delivery_address, carrier, 'CREATED',
      ${SHIPMENT_MACHINE_VERSION}, 1, estimated_delivery, created_at, created_at, customer_id
    FROM input
    ON CONFLICT (order_id) DO NOTHING
    RETURNING order_id
  ), told AS (
    INSERT INTO tracking.outbox (types, events)
    SELECT '{shipment.updated}', ('[' || string_agg(input.event, ',') || ']')::json FROM made JOIN input USING (order_id) HAVING count(*) > 0
  )
  SELECT count(*)::integer AS made FROM made`;

const EXISTING = `
  SELECT order_id, tracking_number, delivery_address, carrier, status, estimated_delivery
  FROM tracking.shipments WHERE order_id = ANY($1::bigint[])`;

interface ExistingRow {
  order_id: number;
  tracking_number: string | null;
  delivery_address: string | null;
  carrier: string | null;
  status: string;
  estimated_delivery: Date | null;
}

/**
 * Writes a batch of shipments with their events in one statement. An order that has a shipment keeps it. Calls `wrote`
 * when events were written.
 */
export async function createShipments(
  pool: pg.Pool,
  items: readonly NewShipment[],
  wrote: () => void,
): Promise<CreateOutcome[]> {
  const byOrder = new Map<number, NewShipment>();
  for (const item of items) if (!byOrder.has(item.orderId)) byOrder.set(item.orderId, item);
  // In one order on every node, so that two batches that meet wait for each other and never deadlock.
  const rows = [...byOrder.values()].toSorted((a, b) => a.orderId - b.orderId);
  const { rows: counted } = await pool.query<{ made: number }>({
    name: 'tracking.create',
    text: INSERT,
    values: [
      tokens(rows.map((row) => row.orderId)),
      tokens(rows.map((row) => row.uuid)),
      texts(rows.map((row) => row.customerName)),
      texts(rows.map((row) => row.deliveryAddress)),
      texts(rows.map((row) => row.carrier)),
      tokens(rows.map((row) => row.createdAt)),
      tokens(rows.map((row) => row.estimatedDelivery)),
      packed(rows.map((row) => row.event)),
      tokens(rows.map((row) => row.customerId)),
    ],
  });
  const made = (counted[0] as { made: number }).made;
  if (made > 0) wrote();
  // A row that another transaction committed meanwhile is invisible to the statement it blocked: a second one reads it.
  const existing = made === rows.length ? undefined : await readExisting(pool, [...byOrder.keys()]);
  return items.map((item) => {
    const first = byOrder.get(item.orderId) as NewShipment;
    const row = existing?.get(item.orderId) ?? rowOf(first);
    return outcomeOf(item, row);
  });
}

async function readExisting(pool: pg.Pool, orderIds: number[]): Promise<Map<number, ExistingRow>> {
  const { rows } = await pool.query<ExistingRow>({ name: 'tracking.existing', text: EXISTING, values: [orderIds] });
  return new Map(rows.map((row) => [row.order_id, row]));
}

function rowOf(item: NewShipment): ExistingRow {
  return {
    order_id: item.orderId,
    tracking_number: item.uuid,
    delivery_address: item.deliveryAddress,
    carrier: item.carrier,
    status: 'CREATED',
    estimated_delivery: new Date(item.estimatedDelivery),
  };
}

function outcomeOf(item: NewShipment, row: ExistingRow): CreateOutcome {
  if (row.status === 'VOIDED' || row.tracking_number === null) {
    return new IllegalTransition(`The shipment of order ${item.orderId} was voided, and is not made again`, {
      orderId: item.orderId,
      status: 'VOIDED',
      allowedEvents: [],
    });
  }
  if (row.carrier !== item.carrier || row.delivery_address !== item.deliveryAddress) {
    return new OrderIdReused(`Order ${item.orderId} has a shipment with another carrier or delivery address`, {
      orderId: item.orderId,
    });
  }
  return {
    trackingNumber: trackingNumberOf(row.tracking_number),
    estimatedDelivery: (row.estimated_delivery as Date).toISOString(),
  };
}
