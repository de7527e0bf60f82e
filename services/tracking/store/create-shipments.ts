/** Creates shipments in batches: one statement per batch, one row per shipment. */
import {
  type CreateOutcome,
  createOutcome,
  type ExistingShipment,
  type NewShipment,
} from '../../../machines/shipment/shipment.create.ts';
import { SHIPMENT_MACHINE_VERSION } from '../../../machines/shipment/shipment.machine.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { packed, texts, tokens, unpack } from '../../../mixins/database/batch-values.ts';
import { columns, selected, table } from '../../../mixins/database/model.ts';
import { OutboxModel } from '../models/outbox.model.ts';
import { type ShipmentColumns, ShipmentModel } from '../models/shipment.model.ts';

const SHIPMENTS = table(ShipmentModel);
const SHIPMENT = columns(ShipmentModel);
const OUTBOX = columns(OutboxModel);

// Events of existing rows must not be published again, so `told` joins only the rows that were inserted.
const INSERT = `
  WITH input AS (
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], ${unpack('$8')}, $9::bigint[])
      AS input(order_id, tracking_number, customer_name, delivery_address, carrier, created_at, estimated_delivery, event, customer_id)
  ), made AS (
    INSERT INTO ${SHIPMENTS} (${SHIPMENT.orderId}, ${SHIPMENT.trackingNumber}, ${SHIPMENT.customerName},
      ${SHIPMENT.deliveryAddress}, ${SHIPMENT.carrier}, ${SHIPMENT.status}, ${SHIPMENT.machineVersion}, ${SHIPMENT.seq},
      ${SHIPMENT.estimatedDelivery}, ${SHIPMENT.createdAt}, ${SHIPMENT.updatedAt}, ${SHIPMENT.customerId})
    SELECT order_id, tracking_number, customer_name, delivery_address, carrier, 'CREATED',
      ${SHIPMENT_MACHINE_VERSION}, 1, estimated_delivery, created_at, created_at, customer_id
    FROM input
    ON CONFLICT (${SHIPMENT.orderId}) DO NOTHING
    RETURNING ${SHIPMENT.orderId} AS order_id
  ), told AS (
    INSERT INTO ${table(OutboxModel)} (${OUTBOX.types}, ${OUTBOX.events})
    SELECT '{shipment.updated}', ('[' || string_agg(input.event, ',') || ']')::json FROM made JOIN input USING (order_id) HAVING count(*) > 0
  )
  SELECT count(*)::integer AS made FROM made`;

const READ = ['orderId', 'trackingNumber', 'deliveryAddress', 'carrier', 'status', 'estimatedDelivery'] as const;
type ExistingRow = Pick<ShipmentColumns, (typeof READ)[number]>;

const EXISTING = `
  SELECT ${selected(ShipmentModel, READ)} FROM ${SHIPMENTS} WHERE ${SHIPMENT.orderId} = ANY($1::bigint[])`;

/**
 * Writes a batch of shipments with their events in one statement. An order that already has a shipment keeps it. Calls
 * `wrote` if events were written.
 */
export async function createShipments(
  database: Database,
  items: readonly NewShipment[],
  wrote: () => void,
): Promise<CreateOutcome[]> {
  const byOrder = new Map<number, NewShipment>();
  for (const item of items) if (!byOrder.has(item.orderId)) byOrder.set(item.orderId, item);
  // Sorted, so that concurrent batches wait for each other but cannot deadlock.
  const rows = [...byOrder.values()].toSorted((a, b) => a.orderId - b.orderId);
  const { rows: counted } = await database.query<{ made: number }>({
    name: 'tracking.create',
    text: INSERT,
    values: [
      tokens(rows.map((row) => row.orderId)),
      tokens(rows.map(({ parcel }) => parcel.uuid)),
      texts(rows.map((row) => row.customerName)),
      texts(rows.map((row) => row.deliveryAddress)),
      texts(rows.map(({ parcel }) => parcel.carrier)),
      tokens(rows.map((row) => row.createdAt)),
      tokens(rows.map(({ parcel }) => parcel.estimatedDelivery)),
      packed(rows.map((row) => JSON.stringify(row.announcement))),
      tokens(rows.map((row) => row.customerId)),
    ],
  });
  const made = (counted[0] as { made: number }).made;
  if (made > 0) wrote();
  // The statement's snapshot does not include rows that others committed while it waited, so a second statement reads them.
  const existing = made === rows.length ? undefined : await readExisting(database, [...byOrder.keys()]);
  return items.map((item) => {
    const { orderId } = item;
    return createOutcome(item, existing?.get(orderId) ?? (byOrder.get(orderId) as NewShipment));
  });
}

async function readExisting(database: Database, orderIds: number[]): Promise<Map<number, ExistingShipment>> {
  const { rows } = await database.query<ExistingRow>({ name: 'tracking.existing', text: EXISTING, values: [orderIds] });
  return new Map(rows.map((row) => [row.orderId, existingOf(row)]));
}

function existingOf(row: ExistingRow): ExistingShipment {
  const { status, deliveryAddress, trackingNumber: uuid } = row;
  if (uuid === null) return { status, deliveryAddress, parcel: null };
  const parcel = {
    uuid,
    carrier: row.carrier as string,
    estimatedDelivery: (row.estimatedDelivery as Date).toISOString(),
  };
  return { status, deliveryAddress, parcel };
}
