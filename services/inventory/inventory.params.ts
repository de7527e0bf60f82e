/** The fastest-validator schemas of the inventory actions. Every fault of a call is reported at once. */
import { isMoney, MAX_CENTS, moneyToNumber } from '../../machines/shared/money.ts';
import { MAX_STOCK } from '../../machines/stock/stock.book.ts';
import { anyText, countNumber, identifier, text } from '../../mixins/params/params.ts';

interface Fault {
  type: string;
  expected?: unknown;
  actual?: unknown;
}

const MAX_PRICE = moneyToNumber(MAX_CENTS);
const MAX_ADDITION = 2 ** 31;

/** An id that may come from a path as text. */
const pathId = { ...identifier, convert: true };

const sku = text(64);
const name = text(200);
const description = { ...anyText(2_000), optional: true, nullable: true };

const price = {
  type: 'number',
  min: 0,
  max: MAX_PRICE,
  custom(value: unknown, errors: Fault[]): unknown {
    // The rule for numbers reports all other faults.
    if (typeof value === 'number' && value >= 0 && value <= MAX_PRICE && !isMoney(value)) {
      errors.push({ type: 'money', actual: value });
    }
    return value;
  },
  messages: { money: "The '{field}' field must have at most two decimals." },
};

export const orderParams = {
  $$strict: true,
  orderId: identifier,
  items: {
    type: 'array',
    min: 1,
    max: 1_000,
    items: {
      type: 'object',
      strict: true,
      props: { productId: identifier, quantity: countNumber(1_000_000_000) },
    },
  },
};

export const createParams = {
  $$strict: true,
  sku,
  name,
  description,
  price,
  initialStock: { type: 'number', integer: true, min: 0, max: MAX_STOCK, optional: true },
};

export const updateParams = {
  $$strict: true,
  id: pathId,
  name: { ...name, optional: true },
  description,
  price: { ...price, optional: true },
};

export const addStockParams = {
  $$strict: true,
  id: pathId,
  amount: countNumber(MAX_ADDITION),
};

export const setStockParams = {
  $$strict: true,
  id: pathId,
  quantity: { type: 'number', integer: true, min: 0, max: MAX_STOCK },
  reason: text(500),
};

export const getParams = { $$strict: true, id: pathId };

export const listParams = {
  $$strict: true,
  sku: { ...sku, optional: true },
  limit: { ...countNumber(100), convert: true, default: 50 },
  cursor: { type: 'string', optional: true, max: 100 },
};
