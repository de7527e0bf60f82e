/** The connections of a service: how old they get, and what they are told at their begin. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
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

test('a connection is given up at its age, so that nothing stays on a server that is no primary any more', async () => {
  const first = await pid();
  expect(await pid()).toBe(first);
  await eventually(async () => expect(await pid()).not.toBe(first), { withinMs: 5_000 });
});

test('its age ends no transaction', async () => {
  const first = await database.trips(async (trips) => {
    const [begun] = await trips.begin<[{ pid: number }]>({ text: PID });
    await trips.commit({ text: 'SELECT pg_sleep($1)', values: [(2 * MAX_AGE_MS) / 1_000] });
    return begun.rows[0]?.pid;
  });
  expect(first).toEqual(expect.any(Number));
  expect(await pid()).not.toBe(first);
});

test('a session has its limits of time, and they are not in the startup packet, which poolers refuse', async () => {
  const { rows } = await database.query<{ name: string; setting: string; source: string }>(
    `SELECT name, setting, source FROM pg_settings
     WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout') ORDER BY name`,
  );
  expect(rows).toEqual([
    { name: 'idle_in_transaction_session_timeout', setting: '5000', source: 'session' },
    { name: 'statement_timeout', setting: '4000', source: 'session' },
  ]);
});
