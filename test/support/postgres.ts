/** Fresh databases for tests, on the one server of the run. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterTheFile } from './endings.ts';
import { SERVER_VARIABLE } from './postgres-server.ts';

/** Creates an empty database and returns its address. It is dropped when the test file is done. */
export async function createDatabase(): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(`CREATE DATABASE ${name}`);
  afterTheFile(() => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs statements on a database, and returns the rows of the last one. For checking what the code under test wrote. */
export async function query<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

function serverUrl(): string {
  const url = process.env[SERVER_VARIABLE];
  if (!url) throw new Error('the PostgreSQL server of the test run is started by jest.config.mjs: run npm test');
  return url;
}

async function onServer(sql: string): Promise<void> {
  await query(serverUrl(), sql);
}
