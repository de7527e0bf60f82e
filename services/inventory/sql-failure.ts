/** What a failed statement means to the stock book, told by SQLSTATE and never by message. */
import pg from 'pg';

/** Only what the server itself reports has an SQLSTATE: `EPIPE` is five letters too. */
function stateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** A row with this key is there already (23505). */
export function isDuplicate(error: unknown): boolean {
  return stateOf(error) === '23505';
}

/** Another transaction was faster (unique violation, serialization failure, deadlock): the same again may succeed. */
export function isRace(error: unknown): boolean {
  return isDuplicate(error) || stateOf(error) === '40001' || stateOf(error) === '40P01';
}

/**
 * The connection or the server failed rather than the statement: no SQLSTATE at all, connection exceptions (08), out
 * of resources (53), operator intervention (57, a cancelled statement among them). What was sent last may have worked.
 */
export function isOutage(error: unknown): boolean {
  const state = stateOf(error);
  return state === undefined || state.startsWith('08') || state.startsWith('53') || state.startsWith('57');
}
