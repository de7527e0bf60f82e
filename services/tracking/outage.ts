/** What a stage answers while its database is away. */
import { ServiceUnavailable, WaybillError } from '../../machines/errors.ts';
import type { WriteBatch } from '../../mixins/group-commit.ts';

/**
 * The connection or the server failed rather than the statement: no SQLSTATE at all, connection exceptions (08), out of
 * resources (53), operator intervention (57). What was sent last may have worked.
 */
function isOutage(error: unknown): boolean {
  if (error instanceof WaybillError) return false;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || /^(?:08|53|57)/.test(code);
}

/**
 * Makes an outage the answer to each item of a batch rather than a failure of it: trying one by one a database that is
 * away would only take longer. The batch gets one more try first, as a broken connection is often the last one's; so
 * `write` must be idempotent.
 */
export function answeringOutages<Item, Result>(
  write: WriteBatch<Item, Result>,
): WriteBatch<Item, Result | ServiceUnavailable> {
  return async (items) => {
    try {
      return await write(items).catch((error: unknown) => {
        if (isOutage(error)) return write(items);
        throw error;
      });
    } catch (error) {
      if (!isOutage(error)) throw error;
      return items.map(
        () => new ServiceUnavailable('The shipments cannot be reached now. Repeat the request in a moment'),
      );
    }
  };
}
