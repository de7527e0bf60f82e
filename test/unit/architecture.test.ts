/** Checks the source against the rules of its layers: who may import whom, and who may read what. */
import { expect, test } from '@jest/globals';
import { type Source, sourceAt, sourcesIn, withoutComments } from '../support/sources.ts';

const LINE_LIMIT = 250;

const machines = sourcesIn('machines');
const mixins = sourcesIn('mixins');
const services = sourcesIn('services');
const all = [...machines, ...mixins, ...services, sourceAt('moleculer.config.ts')];

/** The service a file belongs to, `services/<name>/…`. */
const serviceOf = (path: string): string | undefined => /^services\/([^/]+)\//.exec(path)?.[1];

/** The machine a file belongs to, `machines/<room>/…`. */
const roomOf = (path: string): string | undefined => /^machines\/([^/]+)\//.exec(path)?.[1];

const offences = (sources: Source[], offends: (source: Source, imported: string) => boolean): string[] =>
  sources.flatMap((source) =>
    source.imports
      .filter((imported) => offends(source, imported))
      .map((imported) => `${source.path} imports ${imported}`),
  );

const importsForeign = (source: Source, imported: string): boolean =>
  imported.startsWith('services/') &&
  serviceOf(imported) !== serviceOf(source.path) &&
  // The types that peers exchange are declared once, by the service that answers.
  !(imported.endsWith('.types.ts') && source.typeImports.includes(imported)) &&
  // The one list of all services, which reads what each declares.
  source.path !== 'services/settings.ts';

test('the checks find source files', () => {
  expect(machines.length).toBeGreaterThan(3);
  expect(mixins.length).toBeGreaterThan(3);
  expect(services.length).toBeGreaterThan(3);
});

test('machines import only XState and each other', () => {
  const allowed = /^(xstate(\/.*)?$|machines\/)/;
  expect(offences(machines, (_source, imported) => !allowed.test(imported))).toEqual([]);
});

test('each machine is a room of its own: what they share knows none of them, and only reconciliation knows them all', () => {
  const rooms = machines.filter(({ path }) => roomOf(path) !== 'reconciliation');
  const trespasses = offences(
    rooms,
    ({ path, typeImports }, imported) =>
      imported.startsWith('machines/') &&
      ![roomOf(path), 'shared'].includes(roomOf(imported)) &&
      // Events are declared with the words of an order.
      !(imported === 'machines/order/order.words.ts' && typeImports.includes(imported)),
  );
  expect(trespasses).toEqual([]);
});

test('the generic actor mentions no service', () => {
  const actor = mixins.filter(({ path }) => path.startsWith('mixins/actor/'));
  expect(actor.length).toBeGreaterThan(3);
  const word = /\b(orders?|stock|shipments?|parcels?|inventory|tracking|products?)\b/i;
  expect(
    actor.filter(({ text }) => word.test(text)).map(({ path, text }) => `${path}: ${word.exec(text)?.[0]}`),
  ).toEqual([]);
});

test('no file imports itself through others', () => {
  const sources = new Map(all.map((source) => [source.path, source]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' > '));
    if (done.has(path)) return;
    done.add(path);
    for (const imported of sources.get(path)?.imports ?? []) visit(imported, [...trail, path]);
  };
  for (const path of sources.keys()) visit(path, []);
  expect(circles).toEqual([]);
});

test('machines read no clock, use no randomness and touch no process', () => {
  const impure = /\b(Date\.now\(|new Date\(\)|Math\.random\(|process\.|setTimeout\(|fetch\()/;
  expect(machines.filter(({ text }) => impure.test(withoutComments(text))).map(({ path }) => path)).toEqual([]);
});

test('mixins import no service', () => {
  expect(offences(mixins, (_source, imported) => imported.startsWith('services/'))).toEqual([]);
});

test('services import only the exchanged types from each other', () => {
  expect(offences(services, importsForeign)).toEqual([]);
});

test('a port knows none of its adapters', () => {
  const ports = services.filter(({ path }) => path.endsWith('.port.ts'));
  expect(ports.length).toBeGreaterThan(0);
  const allowed = /^(machines\/|mixins\/actor\/|services\/[^/]+\/[^/]+\.types\.ts$)/;
  expect(offences(ports, (_source, imported) => !allowed.test(imported))).toEqual([]);
});

test('the store of orders writes what was decided: it makes no view and no event, and reads no clock', () => {
  const store = services.filter(({ path }) => path.startsWith('services/orders/store/'));
  const deciding = /(\.view\.ts|^services\/orders\/(engine|actions)\/|^machines\/order\/order\.(decide|events)\.ts)/;
  expect(offences(store, (_source, imported) => deciding.test(imported))).toEqual([]);
  expect(store.filter(({ text }) => /\b(Date\.now\(|new Date\(\))/.test(text)).map(({ path }) => path)).toEqual([]);
});

test('nothing that runs imports a test', () => {
  expect(offences(all, (_source, imported) => imported.startsWith('test/'))).toEqual([]);
});

test('the environment is read in mixins/settings/settings.ts only', () => {
  const readers = all.filter(({ text }) => /\bprocess\.env\b|\benv\b.*from 'node:process'/.test(withoutComments(text)));
  expect(readers.map(({ path }) => path)).toEqual(['mixins/settings/settings.ts']);
});

test("no service's SQL names a table of another service", () => {
  const tables =
    /\b(?:FROM|JOIN|INTO|UPDATE|ONLY|TABLE|EXISTS|REFERENCES|DELETE FROM|ON)\s+(orders|inventory|tracking)\.\w+/gi;
  const foreign = services.flatMap(({ path, text }) =>
    [...text.matchAll(tables)].filter((match) => match[1] !== serviceOf(path)).map((match) => `${path}: ${match[0]}`),
  );
  expect(foreign).toEqual([]);
});

test('outside of migrations, tables are named by their models', () => {
  const spelled = /\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+"?(?:orders|inventory|tracking|\$\{schema\})"?\.\w+/i;
  const sources = [...services, ...mixins].filter(
    ({ path }) => !path.includes('/migrations/') && !/\.schema\.ts$|migrations\.ts$/.test(path),
  );
  expect(sources.filter(({ text }) => spelled.test(withoutComments(text))).map(({ path }) => path)).toEqual([]);
});

test('every connection belongs to Sequelize: otherwise the driver only starts servers and checks whether one answers', () => {
  const connects = all.filter(({ text }) =>
    /\bnew (?:pg\.(?:Client|Pool)|Connector|Connection)\b|\bpg\.Pool\b/.test(withoutComments(text)),
  );
  expect(connects.map(({ path }) => path).toSorted()).toEqual([
    'mixins/database/connector.ts',
    'mixins/database/database.ts',
    'mixins/database/embedded/cluster.ts',
    'mixins/process/preflight.ts',
  ]);
  const drivers = all.filter(({ imports, typeImports }) => imports.includes('pg') && !typeImports.includes('pg'));
  expect(drivers.map(({ path }) => path).toSorted()).toEqual([
    'mixins/database/connection.ts',
    'mixins/database/embedded/cluster.ts',
    'mixins/database/sql-failure.ts',
  ]);
});

test('machines know no HTTP and no database: whoever shows a failure gives it a status', () => {
  const foreign = /\b(?:HTTP|REST|SQL|PostgreSQL|Moleculer|NATS)\b|\bstatus(?:Code)?: [1-5]\d\d\b/;
  expect(
    machines
      .filter(({ text }) => foreign.test(withoutComments(text)))
      .map(({ path, text }) => `${path}: ${foreign.exec(withoutComments(text))?.[0]}`),
  ).toEqual([]);
});

test('every file of a machine or a mixin is in a room', () => {
  const roomless = [...machines, ...mixins].filter(({ path }) => path.split('/').length < 3);
  expect(roomless.map(({ path }) => path)).toEqual([]);
});

/** The rooms of a service. Each has only those it needs. */
const ROOMS = new Set(['actions', 'engine', 'migrations', 'models', 'routes', 'store']);
/** What stands at a service's door: `<service>.<role>.ts`. */
const ROLES = new Set(['context', 'metrics', 'params', 'service', 'settings', 'subscriptions', 'types', 'view']);
/** No action deals with the greeting of a process. */
const OTHERS = new Set(['services/settings.ts', 'services/api/greeting.ts']);

function isAtHome({ path }: Source): boolean {
  const [, service, ...rest] = path.split('/') as [string, string, ...string[]];
  if (OTHERS.has(path)) return true;
  if (rest.length !== 1) return rest.length === 2 && ROOMS.has(rest[0] as string);
  const [name, role] = (rest[0] as string).split('.') as [string, string];
  return role === 'command' || (name === service && ROLES.has(role));
}

test('every service has the same folders', () => {
  expect(services.filter((source) => !isAtHome(source)).map(({ path }) => path)).toEqual([]);
});

test('the folders of a service contain what their names say', () => {
  const named: [room: string, name: RegExp][] = [
    ['migrations', /^(index|\d{4}-[a-z-]+)\.ts$/],
    ['models', /^[a-z-]+\.model\.ts$/],
    ['routes', /^([a-z-]+\.routes|api-path)\.ts$/],
  ];
  const misplaced = services.filter(({ path }) => {
    const [, , room, name] = path.split('/');
    return named.some(([its, pattern]) => room === its && !pattern.test(name as string));
  });
  expect(misplaced.map(({ path }) => path)).toEqual([]);
});

const stores = services.filter(({ path }) => path.includes('/store/'));

test('no store decides: machines do, and stores ask them', () => {
  const decides =
    /\b(?:function\*?|const|async)\s+#?(?:decide|judge|admit|refuse)\w*|^\s+#?(?:decide|judge|admit|refuse)\w*\(.*\{$/m;
  expect(services.filter(({ text }) => decides.test(text)).map(({ path }) => path)).toEqual([]);
  // The machine of an order, its stock or its shipment decides what is not allowed.
  const refuses = /\bnew (?:IllegalTransition|OrderIdReused|InsufficientStock|OrderCancelled|PreconditionFailed)\(/;
  expect(stores.filter(({ text }) => refuses.test(text)).map(({ path }) => path)).toEqual([]);
});

test('a store knows neither the actions above it nor how its rows are shown', () => {
  expect(stores.length).toBeGreaterThan(3);
  const above = /^services\/\w+\/(actions\/|engine\/|\w+\.(view|service|context)\.ts$)/;
  expect(offences(stores, (_source, imported) => above.test(imported))).toEqual([]);
});

test('views are made without calls or queries', () => {
  const views = services.filter(({ path }) => path.endsWith('.view.ts'));
  expect(views.length).toBeGreaterThan(1);
  const asking = /^(sequelize|pg|services\/\w+\/(actions|engine|store)\/)/;
  expect(offences(views, (_source, imported) => asking.test(imported))).toEqual([]);
});

test(`no source file outgrows ${LINE_LIMIT} lines`, () => {
  const long = all.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
  expect(long.filter(({ lines }) => lines > LINE_LIMIT)).toEqual([]);
});

test('every file opens with a sentence that says what it is', () => {
  const silent = all.filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text));
  expect(silent.map(({ path }) => path)).toEqual([]);
});
