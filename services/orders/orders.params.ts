/** The fastest-validator schemas of the orders actions. Every fault of a request is reported at once. */
import { ORDER_STATUSES, PEERS } from '../../machines/order/order.words.ts';
import { countNumber, identifier, isDayOrInstant, isGiven, text } from '../../mixins/params/params.ts';

/** The maximum number of lines in an order. */
export const MAX_LINES = 1_000;
/** The maximum quantity of a line. */
export const MAX_QUANTITY = 1_000_000_000;
/** The maximum number of entries in a page. */
export const MAX_LIMIT = 200;

export const page = {
  limit: { ...countNumber(MAX_LIMIT), optional: true },
  cursor: { ...text(200), optional: true },
};

export const createOrder = {
  $$strict: true,
  customerId: identifier,
  items: {
    type: 'array',
    min: 1,
    max: MAX_LINES,
    items: { type: 'object', strict: true, props: { productId: identifier, quantity: countNumber(MAX_QUANTITY) } },
  },
  deliveryAddress: text(500),
  carrier: text(50),
  customerName: { ...text(200), optional: true, nullable: true },
};

/** An order's id or `ORD-<uuid>`. Any other value is answered with NotFound. */
export const orderId = {
  $$strict: true,
  id: [{ type: 'string' }, { type: 'number' }],
};

export const orderCommand = {
  ...orderId,
  ifMatch: { type: 'array', items: 'string', optional: true },
};

export const cancelOrder = { ...orderCommand, reason: { ...text(500), optional: true, nullable: true } };

const amount = { type: 'number', min: 0, max: 9_999_999_999.99, optional: true };
// A function, because the validator treats a reused schema object as a cycle and skips its check.
const instant = () => ({
  type: 'string',
  optional: true,
  custom: (value: unknown, errors: object[]) => {
    if (typeof value === 'string' && !isDayOrInstant(value)) errors.push({ type: 'date', actual: value });
    return value;
  },
});

const STATUSES: ReadonlySet<unknown> = new Set(ORDER_STATUSES);
/** One status, or a list of them. */
const statuses = {
  type: 'any',
  optional: true,
  custom: (value: unknown, errors: object[]) => {
    const given: unknown[] = Array.isArray(value) ? value : [value];
    const known = given.length > 0 && given.length <= STATUSES.size && given.every((status) => STATUSES.has(status));
    if (isGiven(value) && !known)
      errors.push({ type: 'enumValue', expected: ORDER_STATUSES.join(', '), actual: value });
    return value;
  },
};

export const search = {
  $$strict: true,
  ...page,
  status: statuses,
  q: { ...text(100), optional: true },
  customerId: { ...identifier, optional: true },
  productId: { ...identifier, optional: true },
  from: instant(),
  to: instant(),
  minTotal: amount,
  maxTotal: amount,
  waitingFor: { type: 'enum', values: [...PEERS, 'operator'], optional: true },
  sort: { type: 'enum', values: ['orderDate', '-orderDate', 'totalPrice', '-totalPrice'], optional: true },
};

export const listByCustomer = { $$strict: true, ...page, customerId: identifier };
