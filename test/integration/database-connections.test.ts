/** The connections of a service: their maximum age, and how their sessions are set up. */
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
import { Proxy } from '../chaos/proxy.ts';
import { eventually } from '../support/eventually.ts';
import { createDatabase } from '../support/postgres.ts';

const MAX_AGE_MS = 300;

let database: Database;
beforeAll(async () => {
  database = openDatabase(await createDatabase(), 'connections', 1, { maxAgeMs: MAX_AGE_MS });
});
afterAll(() => database.close());

const PID = 'SELECT pg_backend_pid() AS pid';
const pid = async (): Promise<number | undefined> => (await database.query<{ pid: number }>(PID)).rows[0]?.pid;

test('a connection is closed at its maximum age, so that none stays on a server that is no longer the primary', async () => {
  const first = await pid();
  expect(await pid()).toBe(first);
  await eventually(async () => expect(await pid()).not.toBe(first), { withinMs: 5_000 });
});

test('its age never ends a transaction', async () => {
  const first = await database.trips(async (trips) => {
    const [begun] = await trips.begin<[{ pid: number }]>({ text: PID });
    await trips.commit({ text: 'SELECT pg_sleep($1)', values: [(2 * MAX_AGE_MS) / 1_000] });
    return begun.rows[0]?.pid;
  });
  expect(first).toEqual(expect.any(Number));
  expect(await pid()).not.toBe(first);
});

test('a session has timeouts, set without startup parameters, which poolers refuse', async () => {
  const { rows } = await database.query<{ name: string; setting: string; source: string }>(
    `SELECT name, setting, source FROM pg_settings
     WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout') ORDER BY name`,
  );
  expect(rows).toEqual([
    { name: 'idle_in_transaction_session_timeout', setting: '5000', source: 'session' },
    { name: 'statement_timeout', setting: '4000', source: 'session' },
  ]);
});

test('a host that does not answer delays a connection by less than a second', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket.resume()));
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const address = new URL(await createDatabase());
  const { port } = silent.address() as { port: number };
  const hosts = `127.0.0.1:${port},${address.host}`;
  const several = openDatabase(address.href.replace(address.host, hosts), 'connections', 1);
  try {
    const began = performance.now();
    await several.query('SELECT 1');
    expect(performance.now() - began).toBeLessThan(1_000);
    // The silent one is left as soon as the other one was taken.
    await eventually(() => expect(sockets.map(({ closed }) => closed)).toEqual([true]), { withinMs: 1_000 });
  } finally {
    await several.close();
    silent.close();
  }
});

test('when a server stops answering, one statement waits for its timeout, not one on each connection', async () => {
  const address = new URL(await createDatabase());
  const proxy = await Proxy.listen(() => Number(address.port));
  const hosts = `127.0.0.1:${proxy.port},${address.host}`;
  const several = openDatabase(address.href.replace(address.host, hosts), 'connections', 4);
  try {
    await Promise.all(Array.from({ length: 4 }, () => several.query('SELECT pg_sleep(0.2)')));
    expect(proxy.falterOpen()).toBe(4);
    await expect(several.query('SELECT 1')).rejects.toThrow();
    const began = performance.now();
    await several.query('SELECT 1');
    expect(performance.now() - began).toBeLessThan(1_000);
  } finally {
    await several.close();
    proxy.close();
  }
});
