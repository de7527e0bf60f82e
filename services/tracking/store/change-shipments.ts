/** The stage that changes shipments: lock a batch's rows once, let the machine decide, write all in one statement. */
import type pg from 'pg';
import {
  type ChangeOutcome,
  decideChanges,
  type ShipmentBook,
  type ShipmentDecisions,
} from '../../../machines/shipment/shipment.decide.ts';
import { SHIPMENT_MACHINE_VERSION } from '../../../machines/shipment/shipment.machine.ts';
import type { Shipment, ShipmentChange } from '../../../machines/shipment/shipment.ts';
import type { Database } from '../../../mixins/database/database.ts';
import type { Statement, Trips } from '../../../mixins/database/trips.ts';

/** A change with all that the timeline keeps of it. */
export interface Change extends ShipmentChange {
  /** JSON texts. */
  details: string | null;
  extra: string | null;
  /** When it happened, RFC 3339. */
  happenedAt: string;
  /** Where the last try put it in the timeline. */
  triedSeq?: number;
}

interface LockedRow {
  order_id: number;
  tracking_number: string | null;
  carrier: string | null;
  status: string;
  machine_version: number;
  seq: number;
  estimated_delivery: Date | null;
}

// A void that comes before its shipment leaves a row that refuses the shipment.
const TOMBSTONES = `
  INSERT INTO tracking.shipments (order_id, status, machine_version, seq, created_at, updated_at)
  SELECT order_id, 'VOIDED', ${SHIPMENT_MACHINE_VERSION}, 0, now(), now() FROM unnest($1::bigint[]) AS void(order_id)
  ON CONFLICT (order_id) DO NOTHING`;

const LOCK = `
  SELECT order_id, tracking_number, carrier, status, machine_version, seq, estimated_delivery
  FROM tracking.shipments WHERE order_id = ANY($1::bigint[]) ORDER BY order_id FOR UPDATE`;

const RECORDED = `
  SELECT event_id FROM tracking.shipment_events
  JOIN unnest($1::bigint[], $2::integer[]) AS tried(order_id, seq) USING (order_id, seq)`;

const WRITE = `
  WITH recorded AS (
    INSERT INTO tracking.shipment_events (order_id, seq, event_id, status, location, details, extra, at)
    SELECT order_id, seq, event_id, status, location, details::jsonb, extra::jsonb, at
    FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
      AS input(order_id, seq, event_id, status, location, details, extra, at)
  ), moved AS (
    UPDATE tracking.shipments AS shipment
    SET status = input.status, seq = input.seq, machine_version = ${SHIPMENT_MACHINE_VERSION}, updated_at = $12
    FROM unnest($9::bigint[], $10::text[], $11::integer[]) AS input(order_id, status, seq)
    WHERE shipment.order_id = input.order_id
  )
  INSERT INTO tracking.outbox (types, events) VALUES ('{shipment.updated}', $13::json)`;

/**
 * Carries out a batch of changes in their order of arrival, each with its event, in one transaction. Calls `wrote` when
 * events were written. `nowMs` is Unix milliseconds.
 */
export async function changeShipments(
  database: Database,
  changes: readonly Change[],
  nowMs: number,
  wrote: () => void,
): Promise<ChangeOutcome[]> {
  return database.trips(async (trips) => {
    const book = await readBook(trips, changes);
    const at = new Date(nowMs).toISOString();
    const decisions = decideChanges(book, changes, at);
    const { outcomes, additions } = decisions;
    for (const { change, seq } of additions) change.triedSeq = seq;
    await trips.commit(...(additions.length > 0 ? [writing(decisions, at)] : []));
    if (additions.length > 0) wrote();
    return outcomes;
  });
}

/** Opens the transaction; its statements travel together. */
async function readBook(trips: Trips, changes: readonly Change[]): Promise<ShipmentBook> {
  const sorted = (some: readonly Change[]): number[] =>
    [...new Set(some.map((change) => change.orderId))].toSorted((a, b) => a - b);
  const voids = sorted(changes.filter((change) => change.event === 'VOID'));
  const tried = changes.filter((change) => change.triedSeq !== undefined);
  const seqs = { text: RECORDED, values: [tried.map(({ orderId }) => orderId), tried.map(({ triedSeq }) => triedSeq)] };
  const results = await trips.begin(
    ...(voids.length > 0 ? [{ name: 'tracking.tombstones', text: TOMBSTONES, values: [voids] }] : []),
    { name: 'tracking.lock', text: LOCK, values: [sorted(changes)] },
    ...(tried.length > 0 ? [seqs] : []),
  );
  const locked = (results[voids.length > 0 ? 1 : 0] as pg.QueryResult<LockedRow>).rows;
  const recorded = tried.length > 0 ? (results.at(-1) as pg.QueryResult<{ event_id: string }>).rows : [];
  return {
    shipments: new Map(locked.map((row) => [row.order_id, shipmentOf(row)])),
    recorded: new Set(recorded.map((row) => row.event_id)),
  };
}

function shipmentOf(row: LockedRow): Shipment {
  const { order_id: orderId, status, machine_version: machineVersion, seq } = row;
  if (row.tracking_number === null) return { orderId, parcel: null, status, machineVersion, seq };
  const parcel = {
    uuid: row.tracking_number,
    carrier: row.carrier as string,
    estimatedDelivery: (row.estimated_delivery as Date).toISOString(),
  };
  return { orderId, parcel, status, machineVersion, seq };
}

function writing({ additions, moved, events }: ShipmentDecisions<Change>, at: string): Statement {
  return {
    name: 'tracking.change',
    text: WRITE,
    values: [
      additions.map(({ change }) => change.orderId),
      additions.map(({ seq }) => seq),
      additions.map(({ change }) => change.id),
      additions.map(({ change }) => change.status),
      additions.map(({ change }) => change.location),
      additions.map(({ change }) => change.details),
      additions.map(({ change }) => change.extra),
      additions.map(({ change }) => change.happenedAt),
      moved.map((shipment) => shipment.orderId),
      moved.map((shipment) => shipment.status),
      moved.map((shipment) => shipment.seq),
      at,
      JSON.stringify(events),
    ],
  };
}
