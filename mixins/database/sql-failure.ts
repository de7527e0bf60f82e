/** What a failed statement means, told by SQLSTATE and never by message. */
import { isNativeError } from 'node:util/types';
import pg from 'pg';
import { ConnectionAcquireTimeoutError, ConnectionError, DatabaseError, UniqueConstraintError } from 'sequelize';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import { ReadOnlyServer } from './connection.ts';
import { ConnectFailure } from './connector.ts';

/** What the driver said: Sequelize hides it in an error of its own. */
function reported(error: unknown): unknown {
  const hides =
    error instanceof DatabaseError || error instanceof UniqueConstraintError || error instanceof ConnectionError;
  return hides ? error.parent : error;
}

/** Only what the server itself reports has an SQLSTATE: `EPIPE` is five letters too. */
function stateOf(error: unknown): string | undefined {
  const said = reported(error);
  return said instanceof pg.DatabaseError || said instanceof ReadOnlyServer ? said.code : undefined;
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

/** A statement was ended because it took too long, or by somebody's hand (57014). */
export function isCancelled(error: unknown): boolean {
  return stateOf(error) === '57014';
}

/** The server takes no writes (25006). */
export function isReadOnly(error: unknown): boolean {
  return stateOf(error) === '25006';
}

/**
 * SQLSTATEs, or what they begin with, of a connection or a server that failed rather than the statement, and what they
 * say to an operator. The first that fits counts.
 */
const OUTAGES: readonly [state: string, meaning: string][] = [
  ['08', 'the connection failed'],
  ['25006', 'it is read-only'],
  ['25P03', 'a transaction stood still for too long'],
  ['28P01', 'the user or the password is refused'],
  ['28', 'the user is not let in'],
  ['3D000', 'there is no such database'],
  ['53100', 'its disk is full'],
  ['53200', 'it is out of memory'],
  ['53300', 'it has no connection to spare'],
  ['53', 'it is out of resources'],
  ['55000', 'the database takes no connections'],
  ['57014', 'a statement took too long'],
  ['57P01', 'it was stopped, or the session was ended'],
  ['57P02', 'it crashed'],
  ['57P03', 'it is starting or stopping'],
  ['57', 'an operator intervened'],
  ['58', 'its system failed'],
];

/** What a socket says. */
const SOCKETS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer in time',
  ECONNRESET: 'the connection was broken off',
  EPIPE: 'the connection was broken off',
};

const meaningOf = (state: string): string | undefined => OUTAGES.find(([begin]) => state.startsWith(begin))?.[1];

/**
 * The connection or the server failed rather than the statement: it says so by its SQLSTATE, or nothing came from it at
 * all. What was sent last may have worked.
 */
export function isOutage(error: unknown): boolean {
  const state = stateOf(error);
  if (state !== undefined) return meaningOf(state) !== undefined;
  return error instanceof ConnectFailure || error instanceof ConnectionError || isPlain(reported(error));
}

/** Sockets and the driver fail with errors of no class; a class of its own is of somebody who knows what is wrong. */
function isPlain(error: unknown): boolean {
  return isNativeError(error) && ['Error', 'AggregateError'].includes(error.constructor.name);
}

/**
 * Whether what was met on one connection says the same of all others there are: the server is read-only, it stopped
 * (57P01 to 57P03), or nothing comes from it any more.
 */
export function isServerGone(error: unknown): boolean {
  const state = stateOf(error);
  return state === undefined || isReadOnly(error) || /^57P0[123]$/.test(state);
}

/** Why a connection or a server failed, in a few words for an operator, without anything secret and without any host. */
export function meaningOfOutage(error: unknown): string {
  if (error instanceof ConnectFailure && error.failures.length === 1) return meaningOfOutage(error.failures[0]?.error);
  if (error instanceof ConnectFailure) {
    return error.failures.map(({ server, error: each }) => `${server} ${meaningOfOutage(each)}`).join('; ');
  }
  if (error instanceof ConnectionAcquireTimeoutError) return 'no connection of the pool became free in time';
  const said = reported(error) as { code?: string; message?: string } | undefined;
  const code = said?.code ?? '';
  return meaningOf(stateOf(error) ?? '') ?? SOCKETS[code] ?? (said?.message || code || 'for an unknown reason');
}

/** The same for a log: with the SQLSTATE, or the code that the socket gave. */
export function causeOfOutage(error: unknown): string {
  if (error instanceof ConnectFailure) {
    return error.failures.map(({ server, error: each }) => `${server} ${causeOfOutage(each)}`).join('; ');
  }
  const state = stateOf(error);
  const code = state === undefined ? (reported(error) as { code?: string } | undefined)?.code : `SQLSTATE ${state}`;
  return code === undefined ? meaningOfOutage(error) : `${code} (${meaningOfOutage(error)})`;
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

/** Whether this is what `orUnavailable` made of an outage, which the database itself has logged. */
export function isLoggedOutage(error: unknown): boolean {
  return error instanceof ServiceUnavailable && isNativeError(error.cause) && isOutage(error.cause);
}
