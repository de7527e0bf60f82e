/** What a failed statement means, told by SQLSTATE and never by message. */
import pg from 'pg';
import { BaseError, ConnectionError, DatabaseError, UniqueConstraintError } from 'sequelize';
import { ServiceUnavailable, Failure } from '../../machines/shared/failure.ts';

/** What the driver said: Sequelize hides it in an error of its own. */
function reported(error: unknown): unknown {
  const hides =
    error instanceof DatabaseError || error instanceof UniqueConstraintError || error instanceof ConnectionError;
  return hides ? error.parent : error;
}

/** Only what the server itself reports has an SQLSTATE: `EPIPE` is five letters too. */
function stateOf(error: unknown): string | undefined {
  const said = reported(error);
  return said instanceof pg.DatabaseError ? said.code : undefined;
}

/** A row with this key is there already (23505). */
export function isDuplicate(error: unknown): boolean {
  return stateOf(error) === '23505';
}

/** Another transaction was faster (unique violation, serialization failure, deadlock): the same again may succeed. */
export function isRace(error: unknown): boolean {
  return isDuplicate(error) || stateOf(error) === '40001' || stateOf(error) === '40P01';
}

/** A lock was waited for as long as it may take (55P03). */
export function isLockTimeout(error: unknown): boolean {
  return stateOf(error) === '55P03';
}

/**
 * Connection exceptions (08), no way in (28: the user or password, 3D000 and 55000: the database is gone or closed), out
 * of resources (53), operator intervention (57, a cancelled statement among them).
 */
const OUTAGE = /^(?:08|28|53|57|3D000|55000)/;

/**
 * The connection or the server failed rather than the statement: no SQLSTATE at all, or one that says so. What was sent
 * last may have worked.
 */
export function isOutage(error: unknown): boolean {
  if (error instanceof Failure || error instanceof TypeError || error instanceof RangeError) return false;
  // What Sequelize finds wrong by itself: a value that is none for its column, a row that had to be there.
  if (reported(error) instanceof BaseError && !(error instanceof ConnectionError)) return false;
  const state = stateOf(error);
  return state === undefined || OUTAGE.test(state);
}

/** Runs statements; an outage becomes ServiceUnavailable with the driver's error as its cause. */
export async function orUnavailable<T>(run: Promise<T>): Promise<T> {
  try {
    return await run;
  } catch (error) {
    if (!isOutage(error)) throw error;
    const failure = new ServiceUnavailable('The database does not answer. Repeat the request in a moment');
    failure.cause = error;
    throw failure;
  }
}
