/** Keyset pagination over a whole table by an id, for peer services that read all of it. */
import { Op } from 'sequelize';
import { countNumber, identifier } from '../params/params.ts';

/** The maximum number of rows of a page. */
const MAX_ROWS = 1_000;
/** The maximum number of lines in all rows of a page, so that a page fits into a message between nodes. */
const MAX_LINES = 8_000;

/** A request for the rows after an id, or for those of `ids` after it. */
export interface KeysetRequest {
  /** `next` of the previous page. */
  after?: number;
  limit?: number;
  ids?: number[];
}

/** `next` is the `after` of the next page; null on the last page. */
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

/** The filter with which the read adapter finds the rows of a page, by `attribute`. */
export const keysetFilter = (attribute: string, { after, limit, ids }: KeysetRequest) => ({
  // The validator treats null like a missing field; PostgreSQL would treat it as no limit.
  query: { [attribute]: { [Op.gt]: after ?? 0, ...(ids && { [Op.in]: ids }) } },
  sort: attribute,
  limit: limit ?? MAX_ROWS,
});

/** The options with which a Sequelize model finds the rows of a page, by `attribute`. */
export const keysetOptions = (attribute: string, request: KeysetRequest) => {
  const { query: where, sort, limit } = keysetFilter(attribute, request);
  return { where, order: [sort], limit };
};

/** Makes a page of the rows found, by the id of each. It is cut short when its rows have too many lines. */
export function keysetPage<Item>(
  read: Item[],
  { limit }: KeysetRequest,
  idOf: (item: Item) => number,
  linesOf: (item: Item) => number = () => 0,
): KeysetPage<Item> {
  let lines = 0;
  const tooMany = read.findIndex((item, i) => (lines += linesOf(item)) > MAX_LINES && i > 0);
  const items = tooMany < 0 ? read : read.slice(0, tooMany);
  const more = tooMany >= 0 || read.length === (limit ?? MAX_ROWS);
  const last = items.at(-1);
  return { items, next: more && last !== undefined ? idOf(last) : null };
}
