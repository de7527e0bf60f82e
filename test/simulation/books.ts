/** The balance of a history that has come to its end: what orders, inventory and tracking say must be one story. */
import { INITIAL_STATE, stepOf } from '../../machines/order/order.chart.ts';
import type { HistoryEntry } from '../../machines/order/order.ts';
import { trackingNumberOf } from '../../machines/shipment/tracking-number.ts';
import { orderLines } from '../../machines/stock/stock.book.ts';
import type { TwinRow } from '../support/order-tables.ts';
import type { Clients, Told } from './clients.ts';
import type { World } from './world.ts';

/** Everything that does not balance; empty for a history in which nothing was lost and nothing done twice. */
export function imbalances(world: World, clients: Clients): string[] {
  const rows = [...world.tables.rows.values()];
  return [
    ...clients.surprises,
    ...clients.told.flatMap((told) => unkept(world, told)),
    ...doubled(world, rows),
    ...rows.flatMap((row) =>
      [
        unsettled(row),
        offThePath(row, world.tables.history.get(row.order.id) ?? []),
        unheard(world, row),
        disagreements(world, row),
      ].flat(),
    ),
    ...stockFaults(world),
  ];
}

/** Where an order can be after a command was carried out. */
const DONE = { CANCEL: ['CANCELLED'], SHIP: ['SHIPPED', 'DELIVERED'], DELIVER: ['DELIVERED'] };

// What a client was told is there, and is his.
function unkept(world: World, told: Told): string[] {
  const row = world.tables.rows.get(told.orderId);
  if (!row) return [`order ${told.orderId} was answered, and is lost`];
  const events = new Set((world.tables.history.get(told.orderId) ?? []).map(({ event }) => event));
  if (told.kind === 'done') {
    const { status } = row.order.state;
    return DONE[told.command].includes(status)
      ? []
      : [`order ${told.orderId}: ${told.command} was answered as done, and it is ${status}`];
  }
  const { customerId } = told.submission;
  if (row.order.customerId !== customerId) {
    return [`customer ${customerId} was answered with order ${told.orderId} of customer ${row.order.customerId}`];
  }
  const wasConfirmed = events.has('SECURED') || events.has('RESERVED');
  if (told.status === 'CONFIRMED' && !wasConfirmed) return [`order ${told.orderId} was answered 201, never confirmed`];
  if (told.status === 'CANCELLED' && row.order.state.status !== 'CANCELLED') {
    return [`order ${told.orderId} was answered as cancelled, and is ${row.order.state.status}`];
  }
  return [];
}

function doubled(world: World, rows: readonly TwinRow[]): string[] {
  const keyed = new Map<string, number>();
  const faults: string[] = [];
  for (const [name, { orderId }] of world.tables.keys) {
    const row = world.tables.rows.get(orderId);
    if (!row?.order.keyed) faults.push(`${name} names order ${orderId}, which was not placed under it`);
  }
  // Every client has one key of its own.
  for (const { order } of rows) {
    if (!order.keyed) continue;
    const other = keyed.get(String(order.customerId));
    if (other !== undefined) faults.push(`orders ${other} and ${order.id} were placed under one key`);
    keyed.set(String(order.customerId), order.id);
  }
  return faults;
}

function unsettled({ order, dueAt, parkedAt, lastError }: TwinRow): string[] {
  const owed = order.state.owed.map(({ effect }) => effect).join(', ');
  if (dueAt !== null) return [`order ${order.id} is ${order.state.status} and does not come to rest: ${owed}`];
  if (owed === '') return parkedAt === null ? [] : [`order ${order.id} is parked and owes nothing`];
  if (parkedAt === null) return [`order ${order.id} owes ${owed}, and nobody will do it`];
  // A parcel that has arrived cannot be voided: an operator has to look.
  return lastError?.startsWith('tracking.void: It is delivered') ? [] : [`order ${order.id} is parked: ${lastError}`];
}

function offThePath({ order }: TwinRow, history: readonly HistoryEntry[]): string[] {
  let state = INITIAL_STATE;
  for (const [i, entry] of history.entries()) {
    if (entry.seq !== i + 1) return [`order ${order.id} has history entry ${entry.seq} at place ${i + 1}`];
    if (entry.event === 'PLACE') continue;
    const step = stepOf(state, entry.event);
    if (!step) return [`order ${order.id} had ${entry.event} in ${JSON.stringify(state.value)}`];
    state = step.to;
    if (entry.to !== state.status) return [`order ${order.id}: ${entry.event} led to ${entry.to}`];
  }
  if (history.length !== order.seq) return [`order ${order.id} counts ${order.seq} entries and has ${history.length}`];
  return state === order.state ? [] : [`order ${order.id} is not where its history leads`];
}

// The outbox holds what the history announces, once each and in order.
function unheard(world: World, { order }: TwinRow): string[] {
  let state = INITIAL_STATE;
  const expected = ['order.created'];
  for (const { event } of world.tables.history.get(order.id) ?? []) {
    const step = event === 'PLACE' ? undefined : stepOf(state, event);
    if (!step) continue;
    expected.push(...step.announces);
    state = step.to;
  }
  const mine = world.tables.outbox.filter(({ key }) => key === `order-${order.id}`);
  const ids = new Set(mine.map(({ id }) => id));
  const told = mine.map(({ type }) => type).filter((type) => type !== 'order.attentionRequired');
  if (ids.size !== mine.length) return [`order ${order.id} has two events of one id`];
  return told.join() === expected.join() ? [] : [`order ${order.id} announced ${told.join()}, not ${expected.join()}`];
}

function disagreements(world: World, { order, parkedAt }: TwinRow): string[] {
  const { status } = order.state;
  const stock = world.inventory.reservations.get(order.id);
  const shipment = world.tracking.shipments.get(order.id);
  const faults: string[] = [];
  const holds = { CONFIRMED: 'HELD', SHIPPED: 'CONSUMED', DELIVERED: 'CONSUMED' }[status as string];
  if (holds !== undefined) {
    if (stock?.status !== holds) faults.push(`order ${order.id} is ${status}, its stock is ${stock?.status}`);
    const number = shipment?.parcel ? trackingNumberOf(shipment.parcel.uuid) : undefined;
    if (!shipment || number !== order.shipment?.trackingNumber || shipment.status === 'VOIDED') {
      faults.push(`order ${order.id} is ${status}, its shipment is ${shipment?.status} ${number}`);
    }
    const { productIds, quantities } = orderLines(order.lines);
    if (stock?.productIds.join() !== productIds.join() || stock.quantities.join() !== quantities.join()) {
      faults.push(`order ${order.id} and its reservation have other lines`);
    }
  } else {
    if (stock?.status === 'HELD' || stock?.status === 'CONSUMED') {
      faults.push(`order ${order.id} is ${status} and holds stock`);
    }
    if (parkedAt === null && shipment && shipment.status !== 'VOIDED') {
      faults.push(`order ${order.id} is ${status}, its shipment is ${shipment.status}`);
    }
  }
  return faults;
}

function stockFaults({ inventory, tables, tracking }: World): string[] {
  const faults: string[] = [];
  for (const { productId, quantity, reserved } of inventory.products.values()) {
    const sum = (status: string): number =>
      [...inventory.reservations.values()]
        .filter((reservation) => reservation.status === status)
        .reduce((total, { productIds, quantities }) => total + (quantities[productIds.indexOf(productId)] ?? 0), 0);
    const initial = inventory.initial.get(productId) as number;
    if (sum('HELD') !== reserved)
      faults.push(`product ${productId}: ${reserved} reserved, ${sum('HELD')} held by orders`);
    if (initial - sum('CONSUMED') !== quantity) faults.push(`product ${productId}: ${quantity} left of ${initial}`);
    if (reserved > quantity) faults.push(`product ${productId} is oversold`);
  }
  for (const id of [...inventory.reservations.keys(), ...tracking.shipments.keys()]) {
    if (!tables.rows.has(id)) faults.push(`something is kept for order ${id}, which does not exist`);
  }
  return faults;
}
