/** TLS to a database: what each `sslmode` demands of the server, as in libpq. */
import { chmod, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { parseAddress } from '../../mixins/database/address.ts';
import { Connector } from '../../mixins/database/connector.ts';
import { giveTo } from '../../mixins/database/embedded/place.ts';
import { causeOfOutage } from '../../mixins/database/sql-failure.ts';
import { authority } from '../support/certificates.ts';
import { PostgresServer } from '../support/postgres-servers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let server: PostgresServer;
let ca: string;
let anotherCa: string;

beforeAll(async () => {
  const ours = await authority(await temporaryFolder());
  ({ ca } = ours);
  ({ ca: anotherCa } = await authority(await temporaryFolder()));
  const { cert, key } = await ours.sign('database');
  server = await PostgresServer.make({ ssl: 'on' });
  for (const [from, name] of [
    [cert, 'server.crt'],
    [key, 'server.key'],
  ] as const) {
    const to = join(server.place.cluster, name);
    await copyFile(from, to);
    await chmod(to, 0o600);
    giveTo(to, server.place.user);
  }
  await server.start();
}, 120_000);

/** Whether the connection is encrypted; or why there is none. */
async function encrypted(query: string, host = '127.0.0.1'): Promise<boolean | string | undefined> {
  const url = server.url().replace('127.0.0.1', host);
  try {
    const connection = await new Connector(parseAddress(`${url}?${query}`), 'tls test').connect();
    const { rows } = await connection.query<{ ssl: boolean }>(
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    );
    await connection.end();
    return rows[0]?.ssl;
  } catch (error) {
    return causeOfOutage(error);
  }
}

test.each(['', 'sslmode=disable'])('with "%s" nothing is encrypted', async (query) => {
  expect(await encrypted(query)).toBe(false);
});

test.each(['sslmode=prefer', 'sslmode=require'])(
  'with %s the connection is encrypted, whatever certificate the server has',
  async (query) => {
    expect(await encrypted(query)).toBe(true);
    expect(await encrypted(query, '127.0.0.2')).toBe(true);
  },
);

test.each(['require', 'verify-ca'])(
  'with sslrootcert, sslmode=%s requires a certificate signed by it, for any name',
  async (mode) => {
    expect(await encrypted(`sslmode=${mode}&sslrootcert=${ca}`, '127.0.0.2')).toBe(true);
    expect(await encrypted(`sslmode=${mode}&sslrootcert=${anotherCa}`)).toMatch(
      /UNABLE_TO_VERIFY|SELF_SIGNED|SIGNATURE/,
    );
  },
);

test('sslmode=verify-full also requires the name, and without sslrootcert an authority that Node.js trusts', async () => {
  expect(await encrypted(`sslmode=verify-full&sslrootcert=${ca}`)).toBe(true);
  expect(await encrypted(`sslmode=verify-full&sslrootcert=${ca}`, '127.0.0.2')).toMatch(/ALTNAME/);
  expect(await encrypted('sslmode=verify-full')).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/);
});

test('a missing file is named', async () => {
  expect(await encrypted('sslmode=verify-full&sslrootcert=/nowhere/ca.pem')).toMatch(/ENOENT.*\/nowhere\/ca\.pem/);
});
