/** The connections of a service: their maximum age, and how their sessions are set up. */
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
import { Proxy } from '../support/process/proxy.ts';
import { eventually } from '../support/eventually.ts';
import { createDatabase } from '../support/postgres.ts';

const MAX_AGE_MS = 300;

let database: Database;
beforeAll(async () => {
  database = openDatabase(await createDatabase(), 'connections', 1, { maxAgeMs: MAX_AGE_MS });
});
afterAll(() => database.close());

/** A server that takes connections and never says a word. */
async function silentServer() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.resume()));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { host: `127.0.0.1:${port}`, sockets, close };
}

/** A logger, and the lines it was given. */
function log() {
  const lines: string[] = [];
  const keep = (line: unknown): void => void lines.push(String(line));
  return { logger: { info: keep, warn: keep }, lines };
}

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
  const silent = await silentServer();
  const address = new URL(await createDatabase());
  const several = openDatabase(address.href.replace(address.host, `${silent.host},${address.host}`), 'connections', 1);
  try {
    const began = performance.now();
    await several.query('SELECT 1');
    expect(performance.now() - began).toBeLessThan(1_000);
    // The silent one is left as soon as the other one was taken.
    await eventually(() => expect(silent.sockets.map(({ closed }) => closed)).toEqual([true]), { withinMs: 1_000 });
  } finally {
    await several.close();
    silent.close();
  }
});

test('a host that does not answer is named in the log, with the reason, although the pool gives up as well', async () => {
  const silent = await silentServer();
  const { logger, lines } = log();
  const lost = openDatabase(`postgres://u:p@${silent.host}/db`, 'connections', 1, { logger });
  try {
    await expect(lost.query('SELECT 1')).rejects.toThrow();
    expect(lines).toEqual([
      `The database of connections (${silent.host}/db) cannot be used: ${silent.host} ETIMEDOUT (no answer in time)`,
    ]);
  } finally {
    await lost.close();
    silent.close();
  }
});

test('a server that stopped answering does not hold up the end of the pool', async () => {
  const address = new URL(await createDatabase());
  const proxy = await Proxy.listen(() => Number(address.port));
  const cutOff = openDatabase(address.href.replace(address.host, `127.0.0.1:${proxy.port}`), 'connections', 2);
  try {
    await Promise.all([cutOff.query('SELECT pg_sleep(0.2)'), cutOff.query('SELECT pg_sleep(0.2)')]);
    expect(proxy.falterOpen()).toBe(2);
    const began = performance.now();
    await cutOff.close();
    expect(performance.now() - began).toBeLessThan(2_000);
  } finally {
    proxy.close();
  }
});

test('a Sequelize transaction whose connection breaks is one line of the log that names the server, and nothing else is printed', async () => {
  const address = new URL(await createDatabase());
  const proxy = await Proxy.listen(() => Number(address.port));
  const { logger, lines } = log();
  const place = `127.0.0.1:${proxy.port}`;
  const broken = openDatabase(address.href.replace(address.host, place), 'connections', 1, { logger });
  const printed = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  try {
    await expect(
      broken.write(async (transaction) => {
        await broken.sequelize.query('SELECT 1', { transaction });
        expect(proxy.cut()).toBe(1);
        await broken.sequelize.query('SELECT 1', { transaction });
      }),
    ).rejects.toThrow();
    expect(lines).toEqual([expect.stringMatching(new RegExp(`cannot be used: ${place} \\S`))]);
    expect(printed).not.toHaveBeenCalled();
  } finally {
    printed.mockRestore();
    await broken.close();
    proxy.close();
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
