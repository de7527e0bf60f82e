/** What a failed statement means, told by SQLSTATE and never by message. */
import pg from 'pg';
import { DatabaseError } from 'sequelize';
import { ServiceUnavailable, Failure } from '../../machines/shared/failure.ts';

/** Only what the server itself reports has an SQLSTATE: `EPIPE` is five letters too. */
function stateOf(error: unknown): string | undefined {
  // Sequelize hides what the server said in an error of its own.
  const reported = error instanceof DatabaseError ? error.parent : error;
  return reported instanceof pg.DatabaseError ? reported.code : undefined;
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
