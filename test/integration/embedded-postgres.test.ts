/** The embedded PostgreSQL over its whole life: made, kept, shared, left behind, found again. */
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readServerNote } from '../../mixins/database/embedded/cluster.ts';
import { homeOf } from '../../mixins/database/embedded/place.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../mixins/database/embedded/embedded-postgres.ts';
import { processIdentity } from '../../mixins/database/embedded/process.ts';
import { embeddedUrl } from '../../mixins/database/embedded/url.ts';
import { startOwn } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import type { Program } from '../support/process/program.ts';
import { query } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const asRoot = process.getuid?.() === 0 ? test : test.skip;

let folder: string;
let dataDir: string;
let started: EmbeddedPostgres[];

beforeEach(async () => {
  folder = await temporaryFolder();
  dataDir = join(folder, 'data');
  started = [];
});

afterEach(async () => {
  // A test that failed in between must leave no server either.
  const last = await startEmbeddedPostgres({ dataDir });
  for (const server of [...started, last]) await server.stop();
  const home = homeOf(dataDir);
  await rm(home, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir });
  started.push(server);
  return server;
}

const serverPid = (): number | undefined => readServerNote(join(homeOf(dataDir), 'cluster'))?.pid;

/** Another process that holds a share until it is ended; on SIGTERM it gives it back. */
function startHolder(): Program {
  const program = `
    import { startEmbeddedPostgres } from './mixins/database/embedded/embedded-postgres.ts';
    void startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} }).then((server) => {
      process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)));
      setInterval(() => undefined, 60_000);
      console.log('holds');
    });`;
  const encoded = `data:text/javascript,${encodeURIComponent(program.replaceAll("'./", `'${new URL('../../', import.meta.url).href}`))}`;
  return startOwn(process.execPath, ['--import', 'tsx', '--import', encoded, '-e', '']);
}

const holds = (holder: Program): Promise<void> =>
  eventually(() => expect({ out: holder.stdout, err: holder.stderr }).toEqual({ out: ['holds'], err: [] }), {
    withinMs: 20_000,
  });

test('a new folder gets a UTF-8 database that is durable and answers on loopback only', async () => {
  const { url } = await start();
  const [row] = await query(
    url,
    `SELECT current_database() AS name, pg_encoding_to_char(encoding) AS encoding, current_setting('fsync') AS fsync,
            current_setting('synchronous_commit') AS commit, current_setting('listen_addresses') AS listens
     FROM pg_database WHERE datname = current_database()`,
  );
  expect(row).toEqual({ name: 'waybill', encoding: 'UTF8', fsync: 'on', commit: 'on', listens: '127.0.0.1' });
});

test('nobody can connect without the password', async () => {
  const { url } = await start();
  await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
});

test('a stopped server is gone, and a second start finds the data of the first', async () => {
  const first = await start();
  await query(first.url, 'CREATE TABLE kept AS SELECT 17 AS value');
  const pid = serverPid();
  await first.stop();
  expect(processIdentity(pid as number)).toBeUndefined();
  const second = await start();
  expect(await query(second.url, 'SELECT value FROM kept')).toEqual([{ value: 17 }]);
});

test('two users share one server, which lives as long as one of them does', async () => {
  const [first, second] = await Promise.all([start(), start()]);
  expect(second.url).toBe(first.url);
  expect(embeddedUrl(dataDir)).toBe(first.url);
  await first.stop();
  expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  const pid = serverPid() as number;
  await second.stop();
  expect(processIdentity(pid)).toBeUndefined();
});

test('processes that start at once on an empty folder share one server', async () => {
  const holders = [startHolder(), startHolder()];
  await Promise.all(holders.map(holds));
  const mine = await start();
  const pid = serverPid() as number;
  expect((await holders[0]?.kill('SIGTERM'))?.code).toBe(0);
  await mine.stop();
  expect(processIdentity(pid)).toBeDefined();
  expect((await holders[1]?.kill('SIGTERM'))?.code).toBe(0);
  expect(processIdentity(pid)).toBeUndefined();
});

test('a server left behind by a killed process is taken over and stopped by the next', async () => {
  const holder = startHolder();
  await holds(holder);
  const pid = serverPid() as number;
  await query(embeddedUrl(dataDir), 'CREATE TABLE kept AS SELECT 17 AS value');
  await holder.kill('SIGKILL');
  expect(processIdentity(pid)).toBeDefined();

  const next = await start();
  expect(serverPid()).toBe(pid);
  expect(await query(next.url, 'SELECT value FROM kept')).toEqual([{ value: 17 }]);
  await next.stop();
  expect(processIdentity(pid)).toBeUndefined();
});

test('a killed server is started again and has lost nothing that was committed', async () => {
  const first = await start();
  await query(first.url, 'CREATE TABLE kept AS SELECT 17 AS value');
  process.kill(serverPid() as number, 'SIGKILL');
  const second = await start();
  expect(await query(second.url, 'SELECT value FROM kept')).toEqual([{ value: 17 }]);
});

test('an interrupted creation leaves no incomplete database behind', async () => {
  const holder = startHolder();
  await eventually(async () => expect((await readdir(homeOf(dataDir))).join()).toContain('cluster.new'), {
    withinMs: 15_000,
  });
  await holder.kill('SIGKILL');
  const { url } = await start();
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

asRoot('as root, a database whose folder is closed to others lies elsewhere and is found again', async () => {
  const closed = join(folder, 'closed');
  await mkdir(closed);
  await chmod(closed, 0o700);
  dataDir = join(closed, 'data');
  const first = await start();
  expect(homeOf(dataDir)).toMatch(/^\/var\/lib\/waybill\//);
  await query(first.url, 'CREATE TABLE kept AS SELECT 17 AS value');
  await first.stop();
  const second = await start();
  expect(await query(second.url, 'SELECT value FROM kept')).toEqual([{ value: 17 }]);
});
