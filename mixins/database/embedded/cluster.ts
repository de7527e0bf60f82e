/** One PostgreSQL server on one cluster folder: creates, starts, finds and stops it. */
import { spawn, type SpawnOptions } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { EmbeddedPostgresError, type PostgresPrograms } from './binaries.ts';
import { giveTo, type Place, passwordOf } from './place.ts';
import { commandLine, processIdentity } from './process.ts';

const ROLE = 'waybill';
const DATABASE = 'waybill';
const DRAFT = 'cluster.new-';
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 20;
const LOG_LIMIT_BYTES = 10_000_000;

/** What `postmaster.pid` says about the server. */
interface ServerNote {
  pid: number;
  port: number;
}

/** Reads `postmaster.pid` of the server that runs, or ran, on this cluster; undefined when there is none. */
export function readServerNote(cluster: string): ServerNote | undefined {
  try {
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    const [pid, port] = [Number(lines[0]), Number(lines[3])];
    return pid > 0 && port > 0 ? { pid, port } : undefined;
  } catch {
    return undefined;
  }
}

/** The address of a server on this machine. It contains the password: never print it. */
export function addressOf(port: number, password: string, database = DATABASE): string {
  return `postgres://${ROLE}:${password}@127.0.0.1:${port}/${database}`;
}

/** Creates the cluster if it does not exist. Removes what interrupted attempts left behind. */
export async function makeCluster(place: Place, programs: PostgresPrograms): Promise<void> {
  if (existsSync(join(place.cluster, 'PG_VERSION'))) return;
  passwordOf(place);
  for (const name of readdirSync(place.home)) {
    if (name.startsWith(DRAFT)) removeDraft(join(place.home, name));
  }
  // A new name each time: an initdb whose parent was killed may still be writing to its folder.
  const draft = join(place.home, `${DRAFT}${randomUUID()}`);
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = [`--username=${ROLE}`, '--auth=scram-sha-256', `--pwfile=${join(place.home, 'password')}`];
  await run(place, programs.initdb, ['-D', draft, ...locale, ...access]);
  renameSync(draft, place.cluster);
}

function removeDraft(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  } catch {
    // Its initdb is still writing. The draft is harmless, and the next start removes it.
  }
}

/**
 * Makes sure that a server runs on the cluster and accepts connections, and that the database exists. A server that
 * already runs is used as it is. Returns its port. Must run under the folder's lock.
 */
export async function ensureServer(place: Place, programs: PostgresPrograms): Promise<number> {
  const password = passwordOf(place);
  const deadline = Date.now() + START_TIMEOUT_MS;
  let failure = '';
  while (Date.now() < deadline) {
    const note = readServerNote(place.cluster);
    if (note && processIdentity(note.pid)) {
      if (await answers(note.port, password)) {
        await makeDatabase(note.port, password);
        return note.port;
      }
      // PostgreSQL refuses to start while any process has the pid in its file, even one that reused the pid.
      if (!/postgres/.test(commandLine(note.pid))) rmSync(join(place.cluster, 'postmaster.pid'), { force: true });
      await pause(POLL_MS);
      continue;
    }
    failure = (await launch(place, programs)) ?? '';
    if (failure !== '') await pause(POLL_MS * 10);
  }
  throw new EmbeddedPostgresError(
    `the embedded PostgreSQL in ${place.home} does not start: ${failure || 'no answer'} (see postgres.log in that folder)`,
  );
}

/** Requests a fast shutdown and waits at most `withinMs` for it. A slower shutdown completes on its own. */
export async function stopServer(cluster: string, withinMs: number): Promise<void> {
  const note = readServerNote(cluster);
  const identity = note && processIdentity(note.pid);
  if (!note || !identity || !/postgres/.test(commandLine(note.pid))) return;
  process.kill(note.pid, 'SIGINT');
  const deadline = Date.now() + withinMs;
  while (processIdentity(note.pid) === identity && Date.now() < deadline) await pause(POLL_MS);
}

/** Starts a server. Returns why it exited if it did so before it accepted connections. */
async function launch(place: Place, programs: PostgresPrograms): Promise<string | undefined> {
  const port = await freePort();
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '100',
    shared_buffers: '128MB',
    // Statements are short: JIT compilation costs more than it saves.
    jit: 'off',
    io_method: 'sync',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
  };
  const logFile = join(place.home, 'postgres.log');
  if (existsSync(logFile) && statSync(logFile).size > LOG_LIMIT_BYTES) truncateSync(logFile);
  const log = openSync(logFile, 'a', 0o600);
  giveTo(logFile, place.user);
  const logStart = statSync(logFile).size;
  const server: { ended?: string } = {};
  try {
    const args = [
      '-D',
      place.cluster,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    // In its own session: Ctrl-C in the terminal must not stop the database before the services have stopped.
    const child = spawn(programs.postgres, args, { ...options(place), detached: true, stdio: ['ignore', log, log] });
    child.once('error', (error) => (server.ended = error.message));
    child.once('exit', (code, signal) => (server.ended = `it exited with ${signal ?? code}`));
    child.unref();
  } finally {
    closeSync(log);
  }
  const password = passwordOf(place);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (server.ended === undefined && Date.now() < deadline) {
    if (readServerNote(place.cluster)?.port === port && (await answers(port, password))) return undefined;
    await pause(POLL_MS);
  }
  const fatal = /FATAL: {2}(.*)/.exec(readFileSync(logFile).subarray(logStart).toString());
  return fatal?.[1] ?? server.ended;
}

async function answers(port: number, password: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: addressOf(port, password, 'postgres'),
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function makeDatabase(port: number, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: addressOf(port, password, 'postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function options(place: Place): SpawnOptions {
  return { cwd: place.home, env: { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin' }, ...place.user };
}

function run(place: Place, program: string, args: string[]): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { ...options(place), stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    const refuse = (reason: string): void =>
      fail(new EmbeddedPostgresError(`the embedded PostgreSQL cannot be created in ${place.home}: ${reason}`));
    child.once('error', (error) => refuse(error.message));
    child.once('close', (code) => {
      if (code === 0) done();
      else refuse(complaint.trim().replaceAll(/\s*\n\s*/g, '; ') || `initdb exited with ${code}`);
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}
