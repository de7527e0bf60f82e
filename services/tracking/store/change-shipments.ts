/** The stage that changes shipments: lock a batch's rows once, decide in memory, write all in one statement. */
import type pg from 'pg';
import { IllegalTransition, type Failure } from '../../../machines/shared/failure.ts';
import {
  isShipmentRepeat,
  SHIPMENT_MACHINE_VERSION,
  type ShipmentEventType,
  type ShipmentState,
  shipmentAllows,
  shipmentStateOf,
  shipmentStep,
} from '../../../machines/shipment/shipment.machine.ts';
import { shipmentUpdated } from '../shipment-updated.ts';

/** Entries a timeline holds. Delivery and voiding are recorded even past it: orders wait for them. */
export const MAX_TIMELINE = 1_000;

/** Something that happened to a shipment. */
export interface Change {
  orderId: number;
  /** The whole tracking UUID the reporter named; undefined when it named the order. */
  uuid?: string | undefined;
  event: ShipmentEventType;
  /** What the timeline calls it. */
  status: string;
  location: string | null;
  /** JSON texts. */
  details: string | null;
  extra: string | null;
  /** When it happened, RFC 3339. */
  happenedAt: string;
  /** Names this change, so that a second try of a batch that was committed is recognised. */
  id: string;
  /** Where the last try put it in the timeline. */
  triedSeq?: number;
}

/**
 * `recorded`: it is in the timeline now. `repeated`: it was so already, nothing was written. `absent`: there is no such
 * shipment. `refused`: the shipment's state does not allow it.
 */
export type ChangeOutcome =
  | { kind: 'recorded' }
  | { kind: 'repeated' }
  | { kind: 'absent' }
  | { kind: 'refused'; error: Failure };

interface LockedRow {
  order_id: number;
  tracking_number: string | null;
  carrier: string;
  status: string;
  machine_version: number;
  seq: number;
  estimated_delivery: Date;
}

interface Entry {
  change: Change;
  seq: number;
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
  pool: pg.Pool,
  changes: readonly Change[],
  nowMs: number,
  wrote: () => void,
): Promise<ChangeOutcome[]> {
  const client = await pool.connect();
  let failed: Error | undefined;
  try {
    const { rows, recordedIds } = await lockRows(client, changes);
    const entries: Entry[] = [];
    const outcomes = changes.map((change) => {
      if (recordedIds.has(change.id)) return { kind: 'recorded' } as const;
      const row = rows.get(change.orderId);
      if (!row || (change.uuid !== undefined && change.uuid !== row.tracking_number))
        return { kind: 'absent' } as const;
      const outcome = decide(row, change);
      if (outcome.kind === 'recorded') {
        row.status = change.status;
        row.seq += 1;
        change.triedSeq = row.seq;
        entries.push({ change, seq: row.seq });
      }
      return outcome;
    });
    if (entries.length === 0) await client.query('COMMIT');
    else await Promise.all([writeEntries(client, entries, rows, nowMs), client.query('COMMIT')]);
    if (entries.length > 0) wrote();
    return outcomes;
  } catch (error) {
    failed = error as Error;
    throw error;
  } finally {
    // A connection with a broken transaction is closed, which rolls it back.
    client.release(failed);
  }
}

/** Opens the transaction; its statements travel together. */
async function lockRows(
  client: pg.PoolClient,
  changes: readonly Change[],
): Promise<{ rows: Map<number, LockedRow>; recordedIds: Set<string> }> {
  const sorted = (some: readonly Change[]): number[] =>
    [...new Set(some.map((change) => change.orderId))].toSorted((a, b) => a - b);
  const voids = sorted(changes.filter((change) => change.event === 'VOID'));
  const tried = changes.filter((change) => change.triedSeq !== undefined);
  const [, , locked, recorded] = await Promise.all([
    client.query('BEGIN'),
    voids.length > 0 && client.query({ name: 'tracking.tombstones', text: TOMBSTONES, values: [voids] }),
    client.query<LockedRow>({ name: 'tracking.lock', text: LOCK, values: [sorted(changes)] }),
    tried.length > 0 &&
      client.query<{ event_id: string }>(RECORDED, [
        tried.map((change) => change.orderId),
        tried.map((change) => change.triedSeq),
      ]),
  ]);
  return {
    rows: new Map(locked.rows.map((row) => [row.order_id, row])),
    recordedIds: new Set(recorded ? recorded.rows.map((row) => row.event_id) : []),
  };
}

function decide(row: LockedRow, change: Change): ChangeOutcome {
  const state = shipmentStateOf(row.status, row.machine_version);
  if (isShipmentRepeat(state, change.event)) return { kind: 'repeated' };
  if (shipmentStep(state, change.event) === undefined) {
    return refuse(
      row,
      `${change.status} cannot be recorded: the shipment of order ${row.order_id} is ${row.status}`,
      state,
    );
  }
  if (row.seq >= MAX_TIMELINE && (change.event === 'REPORT' || change.event === 'SHIP')) {
    return refuse(row, `The shipment of order ${row.order_id} has ${MAX_TIMELINE} events, and takes no more`, state);
  }
  return { kind: 'recorded' };
}

function refuse(row: LockedRow, message: string, state: ShipmentState): ChangeOutcome {
  const allowedEvents = shipmentAllows(state).filter(
    (event) => row.seq < MAX_TIMELINE || event === 'DELIVER' || event === 'VOID',
  );
  return {
    kind: 'refused',
    error: new IllegalTransition(message, { orderId: row.order_id, status: row.status, allowedEvents }),
  };
}

function writeEntries(
  client: pg.PoolClient,
  entries: readonly Entry[],
  rows: ReadonlyMap<number, LockedRow>,
  nowMs: number,
): Promise<unknown> {
  const at = new Date(nowMs).toISOString();
  const moved = [...new Set(entries.map(({ change }) => change.orderId))].map((id) => rows.get(id) as LockedRow);
  const events = entries.map(({ change, seq }) => {
    const row = rows.get(change.orderId) as LockedRow;
    return shipmentUpdated({
      orderId: change.orderId,
      uuid: row.tracking_number as string,
      carrier: row.carrier,
      status: change.status,
      location: change.location,
      estimatedDelivery: row.estimated_delivery.toISOString(),
      seq,
      at,
    });
  });
  return client.query({
    name: 'tracking.change',
    text: WRITE,
    values: [
      entries.map(({ change }) => change.orderId),
      entries.map(({ seq }) => seq),
      entries.map(({ change }) => change.id),
      entries.map(({ change }) => change.status),
      entries.map(({ change }) => change.location),
      entries.map(({ change }) => change.details),
      entries.map(({ change }) => change.extra),
      entries.map(({ change }) => change.happenedAt),
      moved.map((row) => row.order_id),
      moved.map((row) => row.status),
      moved.map((row) => row.seq),
      at,
      JSON.stringify(events),
    ],
  });
}
