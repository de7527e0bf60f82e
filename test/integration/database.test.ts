/** The one Sequelize of a service: how many connections it has, which of them it gives out, and what each is set to. */
import { beforeEach, expect, test } from '@jest/globals';
import { QueryTypes } from 'sequelize';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
import { isDuplicate, isOutage, orUnavailable } from '../../mixins/database/sql-failure.ts';
import { afterTheTest } from '../support/endings.ts';
import { latch } from '../support/latch.ts';
import { createDatabase, query } from '../support/postgres.ts';

let url: string;

function open(poolSize: number): Database {
  const database = openDatabase(url, 'shop', poolSize);
  afterTheTest(() => database.close());
  return database;
}

const pidOf = async (database: Database): Promise<number> =>
  (await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid as number;

const connections = (): Promise<{ application_name: string }[]> =>
  query(
    url,
    `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );

beforeEach(async () => {
  url = await createDatabase();
  await query(
    url,
    'CREATE SCHEMA shop; CREATE TABLE shop.things (id bigint PRIMARY KEY, n bigint[], price numeric(12,2))',
  );
});

test('every kind of work shares the connections of one pool', async () => {
  const database = open(3);
  const { sequelize } = database;
  const work = Array.from({ length: 20 }, () => [
    database.query('SELECT pg_sleep(0.02)'),
    database.trips((trips) => trips.whole({ text: 'SELECT pg_sleep(0.02)' }, { text: 'SELECT 1' })),
    sequelize.query('SELECT pg_sleep(0.02)'),
    database.search((transaction) => sequelize.query('SELECT pg_sleep(0.02)', { transaction })),
  ]).flat();
  let most = 0;
  const watching = (async () => {
    for (let left = 20; left > 0; left--) most = Math.max(most, (await connections()).length);
  })();
  await Promise.all([...work, watching]);
  expect(most).toBe(3);
  expect(new Set((await connections()).map((row) => row.application_name))).toEqual(new Set(['waybill shop']));
});

test.each([
  ['a prepared statement', (database: Database) => database.query({ name: 'sleep', text: 'SELECT pg_sleep(20)' })],
  ['a statement of Sequelize', (database: Database) => database.sequelize.query('SELECT pg_sleep(20)')],
])('a connection on which %s was not answered in time is never given out again', async (_what, sleep) => {
  const database = open(1);
  const silent = await pidOf(database);
  // As if the server were unreachable: it does not end the statement itself.
  await database.query('SET statement_timeout = 0');
  await expect(orUnavailable<unknown>(sleep(database))).rejects.toBeInstanceOf(ServiceUnavailable);
  expect(await pidOf(database)).not.toBe(silent);
});

test('a connection that was terminated while idle is replaced', async () => {
  const database = open(1);
  const ended = await pidOf(database);
  await query(url, 'SELECT pg_terminate_backend($1)', [ended]);
  let pid = ended;
  // The first statement may be the one that finds out.
  for (let tries = 0; pid === ended && tries < 2; tries++) pid = await pidOf(database).catch(() => ended);
  expect(pid).not.toBe(ended);
});

test('a missing server is an outage, recognized without looking at messages', async () => {
  const nowhere = new URL(url);
  nowhere.port = '1';
  const database = openDatabase(nowhere.href, 'shop', 2);
  afterTheTest(() => database.close());
  const works: (() => Promise<unknown>)[] = [
    () => database.query('SELECT 1'),
    () => database.trips((trips) => trips.whole({ text: 'SELECT 1' })),
    () => database.search((transaction) => database.sequelize.query('SELECT 1', { transaction })),
  ];
  for (const work of works) await expect(orUnavailable(work())).rejects.toBeInstanceOf(ServiceUnavailable);
});

test('an exhausted pool is an outage after three seconds, a duplicate key is not an outage', async () => {
  const database = open(2);
  const gate = latch();
  const holding = [1, 2].map(() =>
    database.trips(async (trips) => {
      await trips.begin({ text: 'SELECT 1' });
      await gate.opened;
    }),
  );
  const failure = await database.query('SELECT 1').catch((error: unknown) => error);
  expect(isOutage(failure)).toBe(true);
  gate.open();
  await Promise.all(holding);
  await database.query('INSERT INTO shop.things (id) VALUES (1)');
  const again = 'INSERT INTO shop.things (id) VALUES (1)';
  for (const insertAgain of [() => database.query(again), () => database.sequelize.query(again)]) {
    const duplicate = await insertAgain().catch((error: unknown) => error);
    expect([isDuplicate(duplicate), isOutage(duplicate)]).toEqual([true, false]);
  }
});

const insert = (id: number) => ({ text: 'INSERT INTO shop.things (id) VALUES ($1)', values: [id] });

test('a transaction of two trips is committed as a whole, and rolled back when its work fails or does not commit', async () => {
  const database = open(1);
  await database.trips(async (trips) => {
    await trips.begin(insert(1));
    await trips.commit(insert(2));
  });
  await database.trips((trips) => trips.begin(insert(3)));
  await expect(
    database.trips(async (trips) => {
      await trips.begin(insert(4));
      throw new TypeError('decided otherwise');
    }),
  ).rejects.toThrow('decided otherwise');
  await expect(database.trips((trips) => trips.whole(insert(5), insert(1)))).rejects.toThrow(/duplicate/);
  const { rows } = await database.query('SELECT id FROM shop.things ORDER BY id');
  expect(rows.map((row) => row.id)).toEqual([1, 2]);
});

test('searches are planned for their values, and leave connections for other work', async () => {
  const database = open(3);
  const { sequelize } = database;
  const gate = latch();
  const settings = `SELECT current_setting('enable_seqscan') AS seqscan, current_setting('statement_timeout') AS limit,
    current_setting('plan_cache_mode') AS mode`;
  const first = database.search(async (transaction) => {
    const [row] = await sequelize.query(settings, { transaction, type: QueryTypes.SELECT });
    await gate.opened;
    return row;
  });
  let begun = false;
  const second = database.search(() => {
    begun = true;
    return Promise.resolve();
  });
  const [one, two] = await Promise.all([database.query(settings), database.query(settings)]);
  expect(begun).toBe(false);
  gate.open();
  expect(await first).toEqual({ seqscan: 'on', limit: '15s', mode: 'auto' });
  await second;
  const hot = { seqscan: 'off', limit: '4s', mode: 'force_generic_plan' };
  for (const { rows } of [one, two, await database.query(settings)]) expect(rows).toEqual([hot]);
});

test('BIGINT is a number and NUMERIC stays text, in arrays too', async () => {
  const database = open(1);
  const text = `SELECT 9007199254740991::bigint AS id, '{1,2}'::bigint[] AS n, 0.10::numeric(12,2) AS price,
    '{0.10,NULL}'::numeric(12,2)[] AS prices`;
  const row = { id: 9007199254740991, n: [1, 2], price: '0.10', prices: ['0.10', null] };
  expect((await database.query(text)).rows).toEqual([row]);
  expect(await database.sequelize.query(text, { type: QueryTypes.SELECT })).toEqual([row]);
});
