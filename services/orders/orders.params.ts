/** What the actions of orders accept, as fastest-validator schemas. Every fault of a request is reported at once. */
import { ORDER_STATUSES, PEERS } from '../../machines/order/order.words.ts';
import { countNumber, identifier, isDayOrInstant, text } from '../../mixins/params/params.ts';

/** Lines an order has at most. */
export const MAX_LINES = 1_000;
/** Units of one line at most. */
export const MAX_QUANTITY = 1_000_000_000;
/** Entries of a page at most. */
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

/** The number of an order in either form; what is neither is an order that does not exist. */
export const orderId = {
  $$strict: true,
  id: [{ type: 'string' }, { type: 'number' }],
};

export const orderCommand = {
  ...orderId,
  ifMatch: { type: 'array', items: 'string', optional: true },
};

const amount = { type: 'number', min: 0, max: 9_999_999_999.99, optional: true };
// Made anew for each field: the validator takes the second use of one object for a cycle, and leaves its check out.
const instant = () => ({
  type: 'string',
  optional: true,
  custom: (value: unknown, errors: object[]) => {
    if (typeof value === 'string' && !isDayOrInstant(value)) errors.push({ type: 'date', actual: value });
    return value;
  },
});

export const search = {
  $$strict: true,
  ...page,
  status: { type: 'enum', values: [...ORDER_STATUSES], optional: true },
  customerId: { ...identifier, optional: true },
  productId: { ...identifier, optional: true },
  from: instant(),
  to: instant(),
  minTotal: amount,
  maxTotal: amount,
  waitingFor: { type: 'enum', values: [...PEERS], optional: true },
  sort: { type: 'enum', values: ['orderDate', '-orderDate', 'totalPrice', '-totalPrice'], optional: true },
};

export const listByCustomer = { $$strict: true, ...page, customerId: identifier };
