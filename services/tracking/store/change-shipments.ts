/** Changes shipments in batches: locks the rows, lets the machine decide, and writes everything in one statement. */
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
import { columns, selected, table } from '../../../mixins/database/model.ts';
import type { Statement, Trips } from '../../../mixins/database/trips.ts';

import { OutboxModel } from '../models/outbox.model.ts';
import { type ShipmentEventColumns, ShipmentEventModel } from '../models/shipment-event.model.ts';
import { type ShipmentColumns, ShipmentModel } from '../models/shipment.model.ts';

/** A change with everything that the timeline stores. */
export interface TimelineChange extends ShipmentChange {
  /** `details` and `extra` are JSON text. */
  details: string | null;
  extra: string | null;
  /** When it happened, RFC 3339. */
  happenedAt: string;
  /** The position in the timeline that the last attempt gave it. */
  triedSeq?: number;
}

const SHIPMENTS = table(ShipmentModel);
const EVENTS = table(ShipmentEventModel);
const SHIPMENT = columns(ShipmentModel);
const EVENT = columns(ShipmentEventModel);
const OUTBOX = columns(OutboxModel);

const LOCKED = [
  'orderId',
  'trackingNumber',
  'carrier',
  'status',
  'machineVersion',
  'seq',
  'estimatedDelivery',
] as const;
type LockedRow = Pick<ShipmentColumns, (typeof LOCKED)[number]>;

// A void that comes before its shipment leaves a row that prevents its creation.
const TOMBSTONES = `
  INSERT INTO ${SHIPMENTS} (${SHIPMENT.orderId}, ${SHIPMENT.status}, ${SHIPMENT.machineVersion}, ${SHIPMENT.seq},
    ${SHIPMENT.createdAt}, ${SHIPMENT.updatedAt})
  SELECT order_id, 'VOIDED', ${SHIPMENT_MACHINE_VERSION}, 0, now(), now() FROM unnest($1::bigint[]) AS void(order_id)
  ON CONFLICT (${SHIPMENT.orderId}) DO NOTHING`;

const LOCK = `
  SELECT ${selected(ShipmentModel, LOCKED)}
  FROM ${SHIPMENTS} WHERE ${SHIPMENT.orderId} = ANY($1::bigint[]) ORDER BY ${SHIPMENT.orderId} FOR UPDATE`;

const RECORDED = `
  SELECT ${selected(ShipmentEventModel, ['eventId'])} FROM ${EVENTS}
  JOIN unnest($1::bigint[], $2::integer[]) AS tried(tried_order, tried_seq)
    ON ${EVENT.orderId} = tried_order AND ${EVENT.seq} = tried_seq`;

const WRITE = `
  WITH recorded AS (
    INSERT INTO ${EVENTS} (${EVENT.orderId}, ${EVENT.seq}, ${EVENT.eventId}, ${EVENT.status}, ${EVENT.location},
      ${EVENT.details}, ${EVENT.extra}, ${EVENT.at})
    SELECT order_id, seq, event_id, status, location, details::jsonb, extra::jsonb, at
    FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
      AS input(order_id, seq, event_id, status, location, details, extra, at)
  ), moved AS (
    UPDATE ${SHIPMENTS} AS shipment
    SET ${SHIPMENT.status} = input.status, ${SHIPMENT.seq} = input.seq, ${SHIPMENT.updatedAt} = $12,
      ${SHIPMENT.machineVersion} = ${SHIPMENT_MACHINE_VERSION}
    FROM unnest($9::bigint[], $10::text[], $11::integer[]) AS input(order_id, status, seq)
    WHERE shipment.${SHIPMENT.orderId} = input.order_id
  )
  INSERT INTO ${table(OutboxModel)} (${OUTBOX.types}, ${OUTBOX.events}) VALUES ('{shipment.updated}', $13::json)`;

/**
 * Applies a batch of changes in order of arrival, each with its event, in one transaction. Calls `wrote` if events were
 * written. `nowMs` is Unix milliseconds.
 */
export async function changeShipments(
  database: Database,
  changes: readonly TimelineChange[],
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

/** Opens the transaction and reads the book, in one round trip. */
async function readBook(trips: Trips, changes: readonly TimelineChange[]): Promise<ShipmentBook> {
  const sorted = (some: readonly TimelineChange[]): number[] =>
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
  const recorded =
    tried.length > 0 ? (results.at(-1) as pg.QueryResult<Pick<ShipmentEventColumns, 'eventId'>>).rows : [];
  return {
    shipments: new Map(locked.map((row) => [row.orderId, shipmentOf(row)])),
    recorded: new Set(recorded.map((row) => row.eventId)),
  };
}

function shipmentOf(row: LockedRow): Shipment {
  const { orderId, trackingNumber: uuid, status, machineVersion, seq } = row;
  if (uuid === null) return { orderId, parcel: null, status, machineVersion, seq };
  const parcel = {
    uuid,
    carrier: row.carrier as string,
    estimatedDelivery: (row.estimatedDelivery as Date).toISOString(),
  };
  return { orderId, parcel, status, machineVersion, seq };
}

function writing({ additions, moved, events }: ShipmentDecisions<TimelineChange>, at: string): Statement {
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
