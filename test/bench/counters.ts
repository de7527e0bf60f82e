/** What the system itself counts: processor time, memory, the write-ahead log, transactions and statements. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';

/** Linux tells processor time in hundredths of a second, whatever its kernel counts in. */
const US_PER_TICK = 10_000;
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1', '[::1]']);

/** Microseconds and bytes since some beginning. What this system does not tell is null. */
export interface Reading {
  /** Of the contestant's own processes. */
  processUs: number | null;
  /** Of all of PostgreSQL's processes. */
  postgresUs: number | null;
  walBytes: number;
  /** Transactions that wrote. */
  writes: number;
  /** Statements sent, where pg_stat_statements is loaded. */
  statements: number | null;
}

/** What one order cost: the same, by order. */
export type Cost = { [Name in keyof Reading]: number | null };

interface ProcessTime {
  parent: number;
  /** Its own. */
  ticks: number;
  /** Of its children that have ended. */
  endedTicks: number;
}

/** Reads the line of /proc/<pid>/stat. */
export function processTime(stat: string): ProcessTime {
  // The second field, the command in parentheses, may itself hold spaces and parentheses.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const at = (index: number): number => fields[index] as number;
  return { parent: at(1), ticks: at(11) + at(12), endedTicks: at(13) + at(14) };
}

function timeOf(pid: number | string): ProcessTime | undefined {
  try {
    return processTime(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Processor time of processes, in microseconds; null where the system does not tell. */
export function processorUs(pids: readonly number[]): number | null {
  const times = pids.map(timeOf);
  return times.some((time) => time === undefined)
    ? null
    : times.reduce((sum, time) => sum + (time?.ticks ?? 0), 0) * US_PER_TICK;
}

/** Memory that a process holds, in megabytes; null where the system does not tell. */
export function residentMegabytes(pid: number): number | null {
  try {
    const kilobytes =
      process.platform === 'linux'
        ? /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
        : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
    return kilobytes === undefined ? null : Number(kilobytes) / 1_024;
  } catch {
    return null;
  }
}

/** The counters of the server behind a connection. */
export class ServerCounters {
  readonly #client: pg.Client;
  readonly #postmaster: number | undefined;
  readonly #countsStatements: boolean;

  private constructor(client: pg.Client, postmaster: number | undefined, countsStatements: boolean) {
    this.#client = client;
    this.#postmaster = postmaster;
    this.#countsStatements = countsStatements;
  }

  static async of(client: pg.Client): Promise<ServerCounters> {
    const { rows } = await client.query<{ pid: number; loaded: boolean }>(
      `SELECT pg_backend_pid() AS pid,
         current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%' AS loaded`,
    );
    const { pid, loaded } = rows[0] as { pid: number; loaded: boolean };
    const allowed = loaded && (await createsExtension(client));
    return new ServerCounters(client, LOOPBACK.has(client.host) ? postmasterOf(pid) : undefined, allowed);
  }

  /** Reads them, with the processor time of the contestant's processes. */
  async read(pids: readonly number[]): Promise<Reading> {
    const { rows } = await this.#client.query<{ wal: number; writes: number; statements: number | null }>(
      `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS wal,
         pg_snapshot_xmax(pg_current_snapshot())::text::float8 AS writes,
         ${this.#countsStatements ? '(SELECT sum(calls)::float8 FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database())' : 'NULL::float8'} AS statements`,
    );
    const [row] = rows as [{ wal: number; writes: number; statements: number | null }];
    return {
      processUs: processorUs(pids),
      postgresUs: this.#postmaster === undefined ? null : serverUs(this.#postmaster),
      walBytes: row.wal,
      writes: row.writes,
      statements: row.statements,
    };
  }
}

/** What each of `orders` orders cost between two readings. */
export function costOf(before: Reading, after: Reading, orders: number): Cost {
  const each = (name: keyof Reading): number | null => {
    const [from, to] = [before[name], after[name]];
    return from === null || to === null || orders === 0 ? null : (to - from) / orders;
  };
  return {
    processUs: each('processUs'),
    postgresUs: each('postgresUs'),
    walBytes: each('walBytes'),
    writes: each('writes'),
    statements: each('statements'),
  };
}

/** The server's first process, when it runs on this machine. */
function postmasterOf(backend: number): number | undefined {
  const time = timeOf(backend);
  if (!time) return undefined;
  return /postgres/.test(readFileSync(`/proc/${backend}/cmdline`, 'utf8')) ? time.parent : undefined;
}

/** Of the server's first process and its children, those that have ended included. */
function serverUs(postmaster: number): number {
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const time = timeOf(name);
    if (time?.parent === postmaster) ticks += time.ticks;
    else if (time && Number(name) === postmaster) ticks += time.ticks + time.endedTicks;
  }
  return ticks * US_PER_TICK;
}

async function createsExtension(client: pg.Client): Promise<boolean> {
  return await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements').then(
    () => true,
    () => false,
  );
}
