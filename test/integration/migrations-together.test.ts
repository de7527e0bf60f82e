/** Many nodes that start at once on an empty database: one migrates, the others wait and find it done. */
import { expect, test } from '@jest/globals';
import { openDatabase } from '../../mixins/database/database.ts';
import { migrate } from '../../mixins/database/migrations.ts';
import { migrations } from '../../services/orders/migrations/index.ts';
import { createDatabase } from '../support/postgres.ts';
import { spawnWaybill } from '../support/waybill.ts';
import { eventually } from '../support/eventually.ts';

test('of twenty nodes that migrate at once exactly one does it, and none fails', async () => {
  const url = await createDatabase();
  const databases = Array.from({ length: 20 }, () => openDatabase(url, 'orders', 2));
  try {
    const ran = await Promise.all(databases.map((database) => migrate(database, migrations)));
    expect(ran.filter((names) => names.length > 0)).toEqual([migrations.map(({ name }) => name)]);
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
  const made = nodes.filter((node) => node.stdout.join('\n').includes('brought up to date'));
  expect([made.length, nodes.every((node) => node.running())]).toEqual([1, true]);
});
