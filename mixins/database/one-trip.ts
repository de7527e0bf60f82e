/** Statements that go to PostgreSQL in one round trip. */
import type pg from 'pg';

/**
 * Sends statements of one connection together and waits for all of them. Fails with the first failure: the ones after
 * it only say that the transaction was aborted. The pool must be opened with `pipeline`.
 */
export async function oneTrip<const Sent extends readonly Promise<unknown>[]>(
  client: pg.PoolClient,
  send: () => Sent,
): Promise<{ -readonly [I in keyof Sent]: Awaited<Sent[I]> }> {
  // The driver writes each statement by itself; every write wakes the server.
  const { stream } = (client as pg.PoolClient & { connection: { stream: { cork(): void; uncork(): void } } })
    .connection;
  stream.cork();
  let sent: Sent;
  try {
    sent = send();
  } finally {
    stream.uncork();
  }
  const settled = await Promise.allSettled(sent);
  for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
  return settled.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as {
    -readonly [I in keyof Sent]: Awaited<Sent[I]>;
  };
}
