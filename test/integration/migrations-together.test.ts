/** Many nodes that start at once on an empty database: each migration is run by one of them, and all come up. */
import { expect, test } from '@jest/globals';
import { openDatabase } from '../../mixins/database/database.ts';
import { migrate } from '../../mixins/database/migrations.ts';
import { migrations } from '../../services/orders/migrations/index.ts';
import { createDatabase } from '../support/postgres.ts';
import { spawnWaybill } from '../support/waybill.ts';
import { eventually } from '../support/eventually.ts';

test('of twenty nodes that migrate at once exactly one runs each migration, and none fails', async () => {
  const url = await createDatabase();
  const databases = Array.from({ length: 20 }, () => openDatabase(url, 'orders', 2));
  try {
    const ran = await Promise.all(databases.map((database) => migrate(database, migrations)));
    expect(ran.flat().toSorted()).toEqual(migrations.map(({ name }) => name));
  } finally {
    await Promise.all(databases.map((database) => database.close()));
  }
});

test('six processes that start at once on an empty database all come up', async () => {
  const env = { ORDERS_DATABASE_URL: await createDatabase() };
  const nodes = await Promise.all(Array.from({ length: 6 }, () => spawnWaybill({ env, services: 'orders' })));
  for (const node of nodes) {
    await eventually(() => expect(node.stdout.join('\n')).toContain('started successfully'), { withinMs: 40_000 });
  }
  const ran = nodes.flatMap(({ stdout }) => /migrated: (.*)/.exec(stdout.join('\n'))?.[1]?.split(', ') ?? []);
  expect(ran.toSorted()).toEqual(migrations.map(({ name }) => name));
  expect(nodes.every((node) => node.running())).toBe(true);
});
