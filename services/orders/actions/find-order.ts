/** Finds orders by either form of their number. */
import { NotFound } from '../../../machines/shared/failure.ts';
import { idOf } from '../../../machines/shared/ids.ts';
import type { OrderMemory } from '../store/order.port.ts';

const PREFIX = /^ORD-/i;
const DIGITS = /^[1-9]\d{0,15}$/;

/** A parsed order number: the id, and the UUID that the order must have if that form was given. */
export interface OrderReference {
  id: number;
  uuid: string | undefined;
}

const notFound = (given: string | number): NotFound =>
  new NotFound(`Order ${String(given).slice(0, 60)} does not exist`);

/** Parses an order id or `ORD-<uuid>`. @throws NotFound for anything else */
export function referenceOf(given: string | number): OrderReference {
  const text = String(given);
  if (DIGITS.test(text) && Number.isSafeInteger(Number(text))) return { id: Number(text), uuid: undefined };
  const uuid = PREFIX.test(text) ? text.slice(4).toLowerCase() : '';
  const id = idOf(uuid);
  if (id === undefined) throw notFound(given);
  return { id, uuid };
}

/** The part of the store that loads orders, of any customer or of one. */
interface Orders {
  load(id: number): Promise<OrderMemory | undefined>;
  loadOwn(id: number, customerId: number): Promise<OrderMemory | undefined>;
}

/**
 * Loads an order by either form of its number. A caller confined to a customer finds only that customer's orders.
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
