/** The statement that saves decided changes with their history and events, each row only at the version that was read. */
import type pg from 'pg';
import { formatMoney, type Cents } from '../../../machines/shared/money.ts';
import { ORDER_MACHINE_VERSION } from '../../../machines/order/order.machine.ts';
import type { Order } from '../../../machines/order/order.ts';
import type { Due } from '../../../mixins/actor/actor.ts';
import { IDS_OF, packed, texts, tokens, unpack } from '../../../mixins/database/batch-values.ts';
import { columns, table } from '../../../mixins/database/model.ts';
import { FeedModel } from '../models/feed.model.ts';
import { IdempotencyKeyModel } from '../models/idempotency-key.model.ts';
import { OrderHistoryModel } from '../models/order-history.model.ts';
import { OrderModel } from '../models/order.model.ts';
import { OutboxModel } from '../models/outbox.model.ts';
import type { LeaseTerms, OrderChange, OrderMemory } from './order.port.ts';

const ORDER = columns(OrderModel);
const O = columns(OrderModel, 'o');
const HISTORY = columns(OrderHistoryModel);
const KEY = columns(IdempotencyKeyModel);
const K = columns(IdempotencyKeyModel, 'k');
const FEED = columns(FeedModel);
const OUTBOX = columns(OutboxModel);

// The outbox row is built from the saved rows, so its id is assigned after they are locked: of two changes of one order,
// the later one always has the higher id.
const save = (name: string, answering: string) => ({
  name,
  text: `
WITH input AS (
  SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::int[], ${unpack('$7')}, $8::text[],
    $9::text[], $10::text[], ${unpack('$11')}, $12::text[], $13::float8[], $14::int[], $15::text[], $16::boolean[],
    $17::boolean[], ${unpack('$18')}, ${unpack('$19')})
  AS i (id, version, status, stock_state, shipment_state, seq, prices, total, tracking_number, estimated_delivery, refusal,
    owner, due_ms, attempt, last_error, parked, keyed, answer, events)
), saved AS (
  UPDATE ${table(OrderModel)} o SET
    ${ORDER.status} = i.status, ${ORDER.stockState} = i.stock_state, ${ORDER.shipmentState} = i.shipment_state,
    ${ORDER.machineVersion} = $20, ${ORDER.seq} = i.seq, ${ORDER.version} = ${O.version} + 1,
    ${ORDER.pricesAtPurchase} = i.prices::numeric[], ${ORDER.totalPrice} = i.total::numeric,
    ${ORDER.trackingNumber} = i.tracking_number, ${ORDER.estimatedDelivery} = i.estimated_delivery::timestamptz,
    ${ORDER.refusal} = i.refusal::jsonb,
    ${ORDER.owner} = i.owner, ${ORDER.attempt} = i.attempt, ${ORDER.lastError} = i.last_error,
    -- A pending order is due no later than its deadline, even when it is parked.
    ${ORDER.dueAt} = CASE WHEN i.status = 'PENDING_CHECK' THEN least(now() + i.due_ms * interval '1 ms', ${O.deadlineAt})
      ELSE now() + i.due_ms * interval '1 ms' END,
    ${ORDER.waitingSince} = CASE WHEN i.due_ms IS NULL AND NOT i.parked THEN NULL
      WHEN i.stock_state = ${O.stockState} AND i.shipment_state = ${O.shipmentState} THEN ${O.waitingSince} ELSE now() END,
    ${ORDER.parkedAt} = CASE WHEN i.parked THEN now() END
  FROM input i WHERE ${O.id} = i.id AND ${O.version} = i.version
  RETURNING ${O.id} AS id
), logged AS (
  INSERT INTO ${table(OrderHistoryModel)} (${HISTORY.orderId}, ${HISTORY.seq}, ${HISTORY.event}, ${HISTORY.fromStatus},
    ${HISTORY.toStatus}, ${HISTORY.at}, ${HISTORY.detail}, ${HISTORY.actor})
  SELECT h.order_id, h.seq, h.event, h.from_status, h.to_status, to_timestamp(h.at_ms / 1000), h.detail::jsonb, h.actor::jsonb
  FROM unnest($21::bigint[], $22::int[], $23::text[], $24::text[], $25::text[], $26::float8[], ${unpack('$27')},
    ${unpack('$29')}) AS h (order_id, seq, event, from_status, to_status, at_ms, detail, actor) JOIN saved ON saved.id = h.order_id
  RETURNING ${HISTORY.orderId} AS order_id, ${HISTORY.seq} AS seq
), fed AS (
  INSERT INTO ${table(FeedModel)} (${FEED.orderIds}, ${FEED.seqs})
  SELECT array_agg(order_id), array_agg(seq) FROM logged HAVING count(*) > 0
), ${answering}told AS (
  INSERT INTO ${table(OutboxModel)} (${OUTBOX.types}, ${OUTBOX.events})
  SELECT $28::text[], ('[' || string_agg(events, ',') || ']')::json FROM input JOIN saved USING (id) WHERE events IS NOT NULL
  HAVING count(*) > 0
)
${IDS_OF} saved`,
});

const ANSWERING = `answered AS (
  UPDATE ${table(IdempotencyKeyModel)} k
  SET ${KEY.answer} = coalesce(${K.answer}, i.answer::json),
    ${KEY.restAt} = CASE WHEN i.due_ms IS NULL AND NOT i.parked THEN now() END
  FROM input i JOIN saved USING (id) WHERE i.keyed AND ${K.orderId} = i.id
), `;

// PostgreSQL opens every table of a statement, even if no row is written to it, and most batches have no key.
const SAVE_KEYLESS = save('orders.save-keyless', '');
const SAVE = save('orders.save', ANSWERING);

interface DueColumns {
  owner: string | null;
  dueMs: number | null;
  attempt: number;
  lastError: string | null;
  parked: boolean;
}

function dueColumns(due: Due, terms: LeaseTerms): DueColumns {
  switch (due.at) {
    case 'rest':
      return { owner: null, dueMs: null, attempt: 0, lastError: null, parked: false };
    case 'lease':
      return { owner: terms.node, dueMs: terms.leaseMs, attempt: 0, lastError: null, parked: false };
    case 'pause':
      return { owner: null, dueMs: due.pauseMs, attempt: due.attempt, lastError: due.lastError, parked: false };
    case 'parked':
      return { owner: null, dueMs: null, attempt: due.attempt, lastError: due.lastError, parked: true };
  }
}

const prices = (order: Order): string | null =>
  order.total === null ? null : `{${order.lines.map((line) => formatMoney(line.price as Cents)).join(',')}}`;

/** The statement of a batch, and each order's memory after it if the row is still at the version that was read. */
export interface Save {
  statement: pg.QueryConfig;
  next: readonly OrderMemory[];
}

/** The statement for a batch of changes. It returns the ids of the saved orders. */
export function saveStatement(changes: readonly OrderChange[], terms: LeaseTerms): Save {
  const rows = changes.map((change) => {
    const order = change.decision?.order ?? change.memory.state;
    const due = dueColumns(change.due, terms);
    return { change, order, due, state: order.state.value };
  });
  const history = rows.flatMap(
    ({ change, order }) => change.decision?.history.map((entry) => ({ id: order.id, entry })) ?? [],
  );
  const engine = JSON.stringify({ role: 'engine', subject: terms.node });
  const values = [
    tokens(rows.map(({ order }) => order.id)),
    tokens(rows.map(({ change }) => change.memory.version)),
    tokens(rows.map(({ state }) => state.order)),
    tokens(rows.map(({ state }) => state.stock)),
    tokens(rows.map(({ state }) => state.shipment)),
    tokens(rows.map(({ order }) => order.seq)),
    packed(rows.map(({ order }) => prices(order))),
    tokens(rows.map(({ order }) => (order.total === null ? null : formatMoney(order.total)))),
    tokens(rows.map(({ order }) => order.shipment?.trackingNumber ?? null)),
    tokens(rows.map(({ order }) => order.shipment?.estimatedDelivery ?? null)),
    packed(rows.map(({ order }) => order.refusal && JSON.stringify(order.refusal))),
    texts(rows.map(({ due }) => due.owner)),
    tokens(rows.map(({ due }) => due.dueMs)),
    tokens(rows.map(({ due }) => due.attempt)),
    texts(rows.map(({ due }) => due.lastError)),
    tokens(rows.map(({ due }) => due.parked)),
    tokens(rows.map(({ order }) => order.keyed)),
    packed(rows.map(({ change }) => change.answer && JSON.stringify(change.answer))),
    packed(
      rows.map(({ change: { events } }) =>
        events.length === 0 ? null : events.map((event) => JSON.stringify(event)).join(','),
      ),
    ),
    ORDER_MACHINE_VERSION,
    tokens(history.map(({ id }) => id)),
    tokens(history.map(({ entry }) => entry.seq)),
    tokens(history.map(({ entry }) => entry.event)),
    tokens(history.map(({ entry }) => entry.from)),
    tokens(history.map(({ entry }) => entry.to)),
    tokens(history.map(({ entry }) => entry.at)),
    packed(history.map(({ entry }) => entry.detail && JSON.stringify(entry.detail))),
    tokens([...new Set(changes.flatMap(({ events }) => events.map(({ type }) => type)))]),
    packed(history.map(({ entry }) => (entry.actor === null ? engine : JSON.stringify(entry.actor)))),
  ];
  const next = rows.map(({ change, order, due }) => ({
    id: order.id,
    state: order,
    version: change.memory.version + 1,
    work: { owner: due.owner, attempt: due.attempt, lastError: due.lastError },
  }));
  const statement = rows.some(({ order }) => order.keyed) ? SAVE : SAVE_KEYLESS;
  return { statement: { ...statement, values }, next };
}
