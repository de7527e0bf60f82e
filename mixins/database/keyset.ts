/** Pages over a whole table in the order of its order ids, for peers that read all of it. */
import { Op } from 'sequelize';
import { countNumber, identifier } from '../params/params.ts';

/** Rows a page has at most. */
const MAX_ROWS = 1_000;
/** Lines the rows of a page have at most together, so that a page fits into a message between nodes. */
const MAX_LINES = 8_000;

/** Asks for the rows after an order id, or for those of `ids` after it. */
export interface KeysetRequest {
  /** `next` of the page before. */
  after?: number;
  limit?: number;
  ids?: number[];
}

/** `next` is handed back as `after`; null on the last page. */
export interface KeysetPage<Item> {
  items: Item[];
  next: number | null;
}

export const keysetParams = {
  $$strict: true,
  after: { type: 'number', integer: true, min: 0, max: Number.MAX_SAFE_INTEGER, optional: true },
  limit: { ...countNumber(MAX_ROWS), optional: true },
  ids: { type: 'array', max: MAX_ROWS, items: identifier, optional: true },
};

/** How the read adapter finds the rows of one page, by `attribute`. */
export const keysetFilter = (attribute: string, { after, limit, ids }: KeysetRequest) => ({
  // To the validator a null is as good as a field left out; to PostgreSQL it would be no limit.
  query: { [attribute]: { [Op.gt]: after ?? 0, ...(ids && { [Op.in]: ids }) } },
  sort: attribute,
  limit: limit ?? MAX_ROWS,
});

/** How a Sequelize model finds the rows of one page, by `attribute`. */
export const keysetOptions = (attribute: string, request: KeysetRequest) => {
  const { query: where, sort, limit } = keysetFilter(attribute, request);
  return { where, order: [sort], limit };
};

/** The page of what was found so. It is cut short when its items have very many lines. */
export function keysetPage<Item extends { orderId: number; items?: readonly unknown[] }>(
  read: Item[],
  { limit }: KeysetRequest,
): KeysetPage<Item> {
  let lines = 0;
  const tooMany = read.findIndex((item, i) => (lines += item.items?.length ?? 0) > MAX_LINES && i > 0);
  const items = tooMany < 0 ? read : read.slice(0, tooMany);
  const more = tooMany >= 0 || read.length === (limit ?? MAX_ROWS);
  return { items, next: more ? (items.at(-1)?.orderId ?? null) : null };
}
