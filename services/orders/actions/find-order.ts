/** The two forms of an order's number, on the way in. */
import { NotFound } from '../../../machines/shared/failure.ts';
import { idOf } from '../../../machines/shared/ids.ts';
import type { OrderMemory } from '../store/order.port.ts';

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

/** Where orders are looked up: anyone's, or one customer's own. */
interface Orders {
  load(id: number): Promise<OrderMemory | undefined>;
  loadOwn(id: number, customerId: number): Promise<OrderMemory | undefined>;
}

/**
 * Loads an order by either form. For a caller who is confined to a customer there are no orders but that customer's.
 * @throws NotFound
 */
export async function findOrder(
  store: Orders,
  given: string | number,
  confinedTo: number | null,
): Promise<OrderMemory> {
  const { id, uuid } = referenceOf(given);
  const memory = confinedTo === null ? await store.load(id) : await store.loadOwn(id, confinedTo);
  if (!memory || (uuid !== undefined && memory.state.uuid !== uuid)) throw notFound(given);
  return memory;
}
