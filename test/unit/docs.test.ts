/** The documentation matches the code: what is documented exists, and what exists is documented. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from '@jest/globals';
import FastestValidator from 'fastest-validator';
import { LIFECYCLE_FILE, lifecyclePage } from '../../docs/tools/lifecycle.ts';
import { EVENT_TYPES } from '../../machines/shared/domain-event.ts';
import type { AccessRule } from '../../mixins/auth/access.ts';
import * as metricNames from '../../mixins/metrics/metric-names.ts';
import { readSettings, SERVICES, type WaybillSettings } from '../../services/settings.ts';
import api from '../../services/api/api.service.ts';
import { inventoryRoutes } from '../../services/api/routes/inventory.routes.ts';
import { operationsRoutes } from '../../services/api/routes/operations.routes.ts';
import { ordersRoutes } from '../../services/api/routes/orders.routes.ts';
import { reportsRoutes } from '../../services/api/routes/reports.routes.ts';
import { streamsRoutes } from '../../services/api/routes/streams.routes.ts';
import { trackingRoutes } from '../../services/api/routes/tracking.routes.ts';
import inventory from '../../services/inventory/inventory.service.ts';
import { migrations as inventoryMigrations } from '../../services/inventory/migrations/index.ts';
import { migrations as ordersMigrations } from '../../services/orders/migrations/index.ts';
import * as ordersMetrics from '../../services/orders/orders.metrics.ts';
import { createOrder } from '../../services/orders/orders.params.ts';
import orders from '../../services/orders/orders.service.ts';
import reports from '../../services/reports/reports.service.ts';
import { migrations as trackingMigrations } from '../../services/tracking/migrations/index.ts';
import tracking from '../../services/tracking/tracking.service.ts';
import { allPages, anchors, curls, links, page, plain, rows } from '../support/markdown.ts';
import { ROOT } from '../support/process/project.ts';

// The package is CommonJS, and declares an ES default export that it does not have.
const Validator = FastestValidator as unknown as typeof FastestValidator.default;

const pages = allPages();
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].toSorted();
const firstCells = (path: string, pattern: RegExp): string[] =>
  rows(page(path), pattern).map(([first]) => plain(first));

test('the diagrams are those of the running machines (npm run docs:diagrams draws them)', () => {
  expect(page(LIFECYCLE_FILE).text).toBe(lifecyclePage());
});

interface DocumentedSetting {
  name: string;
  fallback: string;
  accepted: string;
}

const documentedSettings = rows(page('docs/run/settings.md'), /^`[A-Z_]+`$/).map(
  ([name, fallback, accepted]): DocumentedSetting => ({
    name: plain(name),
    fallback: plain(fallback),
    accepted: accepted ?? '',
  }),
);

/** Settings as data: what can be compared. */
function comparable(settings: WaybillSettings): object {
  return {
    ...settings,
    reader: undefined,
    databaseUrl: Object.keys(SERVICES).map((name) => settings.databaseUrl(name)),
  };
}

test('every setting is documented, and every documented one is read', () => {
  const read = new Set<string>();
  readSettings(new Proxy({}, { get: (_environment, name) => void read.add(String(name)) }));
  expect(sorted(documentedSettings.map(({ name }) => name))).toEqual(sorted(read));
});

test.each(documentedSettings)('the default of $name is the documented one', ({ name, fallback }) => {
  const given = fallback === 'none' ? '' : fallback;
  expect(comparable(readSettings({ [name]: given }))).toEqual(comparable(readSettings({})));
});

const ranges = documentedSettings.flatMap(({ name, accepted }) => {
  const range = /^`(\d+)` to `(\d+)`$/.exec(accepted);
  return range ? [{ name, least: Number(range[1]), most: Number(range[2]) }] : [];
});

test.each(ranges)('$name takes $least to $most and nothing beyond', ({ name, least, most }) => {
  for (const value of [least, most]) expect(() => readSettings({ [name]: String(value) })).not.toThrow();
  for (const value of [least - 1, most + 1]) expect(() => readSettings({ [name]: String(value) })).toThrow(name);
});

test('every call of the gateway is documented, and every documented one exists', () => {
  const groups = [operationsRoutes, ordersRoutes, inventoryRoutes, streamsRoutes, trackingRoutes, reportsRoutes];
  const declared = groups
    .flatMap((group) => group.endpoints)
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  const outside = [...page('docs/use/rest.md').text.matchAll(/`(GET \/(?:health|metrics)[a-z/]*)`/g)];
  const documented = [
    ...firstCells('docs/use/rest.md', /^`(GET|POST|PUT|DELETE) \//),
    ...outside.map((match) => match[1] as string),
  ];
  expect(sorted(documented)).toEqual(sorted(declared));
});

test('every action for peers is documented, and every documented one exists', () => {
  const declared = [orders, inventory, tracking, reports, api].flatMap(({ name, actions }) =>
    Object.keys(actions ?? {}).map((action) => `${name}.${action}`),
  );
  const actions = rows(page('docs/use/mesh.md'), /^`(orders|inventory|tracking|reports|api)\./).map(([first]) =>
    plain(first),
  );
  expect(sorted(actions)).toEqual(sorted(declared));
});

const byName = (a: { action: string }, b: { action: string }): number => (a.action < b.action ? -1 : 1);

test('who may call an action is documented as its schema says it', () => {
  const declared = [orders, inventory, tracking, reports, api].flatMap(({ name, actions }) =>
    Object.entries(actions ?? {}).map(([action, schema]) => {
      const { access } = schema as { access: AccessRule };
      return { action: `${name}.${action}`, customer: access.includes('customer'), staff: access.includes('staff') };
    }),
  );
  const table = rows(page('docs/use/tokens.md'), /^`(orders|inventory|tracking|reports|api)\./);
  const documented = table.map(([action, customer, staff]) => ({
    action: plain(action),
    customer: customer !== 'no',
    staff: staff !== 'no',
  }));
  // Actions left out are for the engine only.
  expect(documented.toSorted(byName)).toEqual(declared.filter(({ staff }) => staff).toSorted(byName));
});

test('every event is documented, and every documented one exists', () => {
  expect(sorted(firstCells('docs/use/mesh.md', /^`(order|stock|shipment)\.\w+`$/))).toEqual(sorted(EVENT_TYPES));
});

test('every metric is documented, and every documented one exists', () => {
  const declared = [...Object.values(metricNames), ...Object.values(ordersMetrics)].filter(
    (name) => typeof name === 'string',
  );
  expect(sorted(firstCells('docs/operate/README.md', /^`waybill_/))).toEqual(sorted(declared));
});

test('every table and view is documented, and every documented one exists', () => {
  const made = [...ordersMigrations, ...inventoryMigrations, ...trackingMigrations].flatMap(({ sql }) =>
    [...sql.matchAll(/CREATE (?:TABLE|VIEW) (\w+)\.(\w+)/g)].map((match) => ({ schema: match[1], name: match[2] })),
  );
  const isShared = (name: string | undefined): boolean => made.filter((table) => table.name === name).length === 3;
  const declared = made.map(({ schema, name }) => (isShared(name) ? `${name}` : `${schema}.${name}`));
  const own = firstCells('docs/understand/data-model.md', /^`(orders|inventory|tracking)\.\w+`/);
  const shared = firstCells('docs/understand/data-model.md', /^`(outbox|outbox_parked|inbox|leases|migrations)`$/);
  const documented = [...own, ...shared].map((name) => name.replace(' (view)', ''));
  // The table of migrations is made by the code that runs them.
  expect(sorted(documented)).toEqual(sorted([...declared, 'migrations']));
});

test('every dependency is documented, and every documented one is there', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, object | undefined>;
  const kinds = ['dependencies', 'optionalDependencies', 'devDependencies'];
  const declared = kinds.flatMap((kind) => Object.keys(manifest[kind] ?? {}));
  expect(sorted(firstCells('docs/extend/dependencies.md', /^`/))).toEqual(sorted(declared));
});

test('every relative link leads to a file of the project, and to a heading of it', () => {
  const broken = pages.flatMap((from) =>
    links(from)
      .filter((link) => !/^https?:\/\//.test(link))
      .filter((link) => !leads(from.path, link))
      .map((link) => `${from.path}: ${link}`),
  );
  expect(broken).toEqual([]);
});

function leads(from: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? from : join(dirname(from), path);
  if (relative(ROOT, join(ROOT, target)).startsWith('..') || !existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchors(page(target)).includes(anchor);
}

test('every page is reached from the README', () => {
  const reached = new Set<string>();
  const queue = ['README.md'];
  for (const path of queue) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const link of links(page(path))) {
      const target = join(dirname(path), link.split('#')[0] as string);
      if (link.includes('.md') && !link.startsWith('http') && existsSync(join(ROOT, target))) queue.push(target);
    }
  }
  expect(sorted(pages.map(({ path }) => path).filter((path) => !reached.has(path)))).toEqual([]);
});

const orderBodies = pages
  .filter(({ path }) => path === 'README.md' || path.startsWith('docs/use/'))
  .flatMap((from) => curls(from).map((command) => ({ path: from.path, command })))
  .filter(({ command }) => / \S*\/orders /.test(command) && command.includes("-d '"))
  .map(({ path, command }) => ({ path, body: /-d '([^']+)'/.exec(command)?.[1] as string }));

test('the README shows how to place an order', () => {
  expect(orderBodies.map(({ path }) => path)).toContain('README.md');
});

test.each(orderBodies)('orders.create accepts the body that $path sends', ({ body }) => {
  const check = new Validator({ useNewCustomCheckerFunction: true, haltOnFirstError: false }).compile(createOrder);
  expect(check(JSON.parse(body))).toBe(true);
});

test('the changelog knows the version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(page('CHANGELOG.md').text).toContain(`## [${version}]`);
});
