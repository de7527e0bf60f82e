/** Classifies failed statements by SQLSTATE, never by message. */
import { isNativeError } from 'node:util/types';
import pg from 'pg';
import { ConnectionAcquireTimeoutError, ConnectionError, DatabaseError, UniqueConstraintError } from 'sequelize';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import { ReadOnlyServer } from './connection.ts';
import { ConnectFailure } from './connector.ts';

/** The driver's error, which Sequelize wraps in its own. */
function reported(error: unknown): unknown {
  const hides =
    error instanceof DatabaseError || error instanceof UniqueConstraintError || error instanceof ConnectionError;
  return hides ? error.parent : error;
}

/** The SQLSTATE of an error that the server reported; other codes, such as `EPIPE`, can have five letters too. */
function stateOf(error: unknown): string | undefined {
  const said = reported(error);
  return said instanceof pg.DatabaseError || said instanceof ReadOnlyServer ? said.code : undefined;
}

/** A row with this key already exists (23505). */
export function isDuplicate(error: unknown): boolean {
  return stateOf(error) === '23505';
}

/** Another transaction was faster (unique violation, serialization failure, deadlock): a retry may succeed. */
export function isRace(error: unknown): boolean {
  return isDuplicate(error) || stateOf(error) === '40001' || stateOf(error) === '40P01';
}

/** Waiting for a lock timed out (55P03). */
export function isLockTimeout(error: unknown): boolean {
  return stateOf(error) === '55P03';
}

/** A statement was cancelled, by a timeout or by hand (57014). */
export function isCancelled(error: unknown): boolean {
  return stateOf(error) === '57014';
}

/** The server accepts no writes (25006). */
export function isReadOnly(error: unknown): boolean {
  return stateOf(error) === '25006';
}

/**
 * SQLSTATEs, or their prefixes, that mean a failed connection or server rather than a failed statement, with their meaning
 * for an operator. The first match counts.
 */
const OUTAGES: readonly [state: string, meaning: string][] = [
  ['08', 'the connection failed'],
  ['25006', 'the server is read-only'],
  ['25P03', 'a transaction was idle for too long'],
  ['28P01', 'wrong user name or password'],
  ['28', 'the user is not allowed to connect'],
  ['3D000', 'the database does not exist'],
  ['53100', 'the disk is full'],
  ['53200', 'the server is out of memory'],
  ['53300', 'the server has too many connections'],
  ['53', 'the server is out of resources'],
  ['55000', 'the database accepts no connections'],
  ['57014', 'a statement took too long'],
  ['57P01', 'the server was stopped or the session terminated'],
  ['57P02', 'the server crashed'],
  ['57P03', 'the server is starting or stopping'],
  ['57', 'an operator intervened'],
  ['58', 'a system error on the server'],
];

/** The meaning of socket errors. */
const SOCKETS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'the host name cannot be resolved',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
  ETIMEDOUT: 'no answer in time',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
};

const meaningOf = (state: string): string | undefined => OUTAGES.find(([begin]) => state.startsWith(begin))?.[1];

/**
 * Whether the connection or the server failed rather than the statement: its SQLSTATE says so, or it did not answer at all.
 * The last statement may have been executed.
 */
export function isOutage(error: unknown): boolean {
  const state = stateOf(error);
  if (state !== undefined) return meaningOf(state) !== undefined;
  return error instanceof ConnectFailure || error instanceof ConnectionError || isPlain(reported(error));
}

/** Sockets and the driver fail with plain errors; an error with a class of its own comes from code that knows the reason. */
function isPlain(error: unknown): boolean {
  return isNativeError(error) && ['Error', 'AggregateError'].includes(error.constructor.name);
}

/**
 * Whether a failure on one connection means that all others have failed too: the server is read-only, it stopped (57P01
 * to 57P03), or it no longer answers.
 */
export function isServerGone(error: unknown): boolean {
  const state = stateOf(error);
  return state === undefined || isReadOnly(error) || /^57P0[123]$/.test(state);
}

/** Why a connection or a server failed, in a few words for an operator, without secrets. Names hosts only if there are several. */
export function meaningOfOutage(error: unknown): string {
  if (error instanceof ConnectFailure && error.failures.length === 1) return meaningOfOutage(error.failures[0]?.error);
  if (error instanceof ConnectFailure) {
    return error.failures.map(({ server, error: each }) => `${server} ${meaningOfOutage(each)}`).join('; ');
  }
  if (error instanceof ConnectionAcquireTimeoutError) return 'no connection of the pool became free in time';
  const said = reported(error) as { code?: string; message?: string } | undefined;
  const code = said?.code ?? '';
  return meaningOf(stateOf(error) ?? '') ?? SOCKETS[code] ?? (said?.message || code || 'unknown reason');
}

/** The same for the log, with the SQLSTATE or the socket's error code. */
export function causeOfOutage(error: unknown): string {
  if (error instanceof ConnectFailure) {
    return error.failures.map(({ server, error: each }) => `${server} ${causeOfOutage(each)}`).join('; ');
  }
  const state = stateOf(error);
  const code = state === undefined ? (reported(error) as { code?: string } | undefined)?.code : `SQLSTATE ${state}`;
  return code === undefined ? meaningOfOutage(error) : `${code} (${meaningOfOutage(error)})`;
}

/** Awaits statements, and turns an outage into ServiceUnavailable with the driver's error as its cause. */
export async function orUnavailable<T>(run: Promise<T>): Promise<T> {
  try {
    return await run;
  } catch (error) {
    if (!isOutage(error)) throw error;
    const failure = new ServiceUnavailable('The database is unavailable: retry in a moment');
    failure.cause = error;
    throw failure;
  }
}

/** Whether `orUnavailable` made this failure from an outage, which the database has already logged. */
export function isLoggedOutage(error: unknown): boolean {
  return error instanceof ServiceUnavailable && isNativeError(error.cause) && isOutage(error.cause);
}
