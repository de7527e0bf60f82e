/** The two forms of an order's number, on the way in. */
import { NotFound } from '../../machines/errors.ts';
import { idOf } from '../../machines/ids.ts';
import type { OrderMemory } from './store/order.row.ts';
import type { OrderPort } from './store/order.port.ts';

const PREFIX = /^ORD-/i;
const DIGITS = /^[1-9]\d{0,15}$/;

/** A number that may belong to an order: its id, and the UUID it must then have, when that form was given. */
export interface OrderReference {
  id: number;
  uuid: string | undefined;
}

const notFound = (given: string | number): NotFound => new NotFound(`There is no order ${String(given).slice(0, 60)}`);

/** Reads the number, or `ORD-<uuid>`. @throws NotFound for what cannot be an order. */
export function referenceOf(given: string | number): OrderReference {
  const text = String(given);
  if (DIGITS.test(text) && Number.isSafeInteger(Number(text))) return { id: Number(text), uuid: undefined };
  const uuid = PREFIX.test(text) ? text.slice(4).toLowerCase() : '';
  const id = idOf(uuid);
  if (id === undefined) throw notFound(given);
  return { id, uuid };
}

/** Loads an order by either form. @throws NotFound. */
export async function findOrder(store: Pick<OrderPort, 'load'>, given: string | number): Promise<OrderMemory> {
  const { id, uuid } = referenceOf(given);
  const memory = await store.load(id);
  if (!memory || (uuid !== undefined && memory.state.uuid !== uuid)) throw notFound(given);
  return memory;
}
