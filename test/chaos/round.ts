/** One round: a mesh or a deployment, shoppers, faults, rest, and the reckoning. */
import { setTimeout as pause } from 'node:timers/promises';
import { BookReader } from './books.ts';
import { diagnose } from './diagnosis.ts';
import { FAULTS } from './faults/index.ts';
import { Log } from './log.ts';
import { type Mesh, startMesh } from './mesh.ts';
import type { Options } from './options.ts';
import { Peer } from './peer.ts';
import { Progress } from './progress.ts';
import { type Reckoning, reckon } from './reckoning.ts';
import { type Result, resultOf } from './report.ts';
import { Chaos, scheduleOf } from './schedule.ts';
import { Random } from '../support/random.ts';
import { type Product, Shop } from './shop.ts';
import { type Catalog, Customers, goShopping } from './shoppers.ts';
import { type Takeover, Takeovers } from './takeover.ts';

const PLENTY = { products: 12, stock: 1_000_000 };
const SCARCE = { products: 3, stock: 40 };
const UP_WITHIN_MS = 30_000;

/** Plays a round on a mesh of its own in this folder. */
export async function playOnMesh(options: Options, folder: string): Promise<Result> {
  const progress = new Progress();
  const shape = { nodesEach: options.nodesEach, leaseMs: options.leaseMs, callTimeoutMs: options.callTimeoutMs };
  const faults = FAULTS.filter(({ kind }) => options.faults.includes(kind));
  const schedule = scheduleOf(options.seed, faults, { seconds: options.seconds, paceMs: options.paceMs, shape });
  const mesh = await startMesh({ ...shape, folder, plant: options.plant, say: (what) => progress.say(what) });
  const peer = new Peer(mesh.nats.url);
  try {
    const log = new Log();
    const shop = new Shop(mesh.urls, log);
    const catalog = await openCatalog(shop, options);
    const began = log.now();
    const now = (): number => log.now() - began;
    const takeovers = new Takeovers(mesh, now);
    const chaos = new Chaos({ mesh, takeovers }, now);
    progress.start(() => `${line(now(), log)}, faults ${chaos.struck.length}: ${chaos.now()}`);
    await Promise.all([chaos.run(schedule, options.seconds), shopFor(options, shop, catalog)]);
    progress.stop();
    await Promise.all([takeovers.settled(), everyNodeUp(mesh)]);
    await peer.join();
    const reckoning = await reckon({
      reader: new BookReader(shop, [...catalog.products, ...catalog.scarce], mesh.nats.url),
      log,
      withinMs: options.restSeconds * 1_000,
      incidents: [...chaos.failures, ...falls(mesh)],
      deaf: () => peer.deaf(mesh.nodes),
      takeovers: undisturbed(takeovers.all, chaos, options),
      say: (what) => progress.say(what),
    });
    progress.stop();
    if (reckoning.violations.length > 0) process.stderr.write(await diagnose(mesh, reckoning.violations));
    return resultOf(options, log, reckoning, chaos, takeovers.all.length);
  } finally {
    progress.stop();
    await peer.leave();
    await mesh.stop();
  }
}

/** Plays a round at a deployment that is there already: shoppers and the checker only. */
export async function playAt(url: string, options: Options): Promise<Result> {
  const progress = new Progress();
  const log = new Log();
  const shop = new Shop([url], log);
  const catalog = await openCatalog(shop, options);
  progress.start(() => line(log.now(), log));
  await shopFor(options, shop, catalog);
  progress.stop();
  const reckoning: Reckoning = await reckon({
    reader: new BookReader(shop, [...catalog.products, ...catalog.scarce], undefined),
    log,
    withinMs: options.restSeconds * 1_000,
    incidents: [],
    deaf: () => Promise.resolve([]),
    takeovers: undefined,
    say: (what) => progress.say(what),
  });
  progress.stop();
  return resultOf(options, log, reckoning, undefined, 0);
}

function line(now: number, log: Log): string {
  return `${Math.round(now / 1_000)} s: ${log.namedOrders().size} orders, ${log.entries.length} requests (${log.count('unknown')} unknown)`;
}

/** Products of this round only, so that its books contain no other orders. */
async function openCatalog(shop: Shop, { seed }: Options): Promise<Catalog> {
  const random = new Random(seed, 'catalog');
  const make = async (sku: string, initialStock: number): Promise<Product> => {
    const price = random.between(1, 99_999);
    for (let tries = 1; ; tries++) {
      const { status, body, failure } = await shop.request('POST', '/inventory', {
        sku,
        name: `Chaos ${sku}`,
        price: price / 100,
        initialStock,
      });
      if (status === 201) return { id: (body as { id: number }).id, price, initialStock };
      if (tries === 40) throw new Error(`no product can be made: ${status ?? failure} ${JSON.stringify(body)}`);
      await pause(250);
    }
  };
  const round = `${Date.now().toString(36)}-${seed}`;
  const products: Product[] = [];
  const scarce: Product[] = [];
  for (let i = 0; i < PLENTY.products; i++) products.push(await make(`CHAOS-${round}-${i}`, PLENTY.stock));
  for (let i = 0; i < SCARCE.products; i++) scarce.push(await make(`CHAOS-${round}-S${i}`, SCARCE.stock));
  return { products, scarce };
}

async function shopFor(options: Options, shop: Shop, catalog: Catalog): Promise<void> {
  const customers = new Customers(Math.floor(Date.now() / 1_000) * 1_000_000);
  const until = AbortSignal.timeout(options.seconds * 1_000);
  const shopper = (n: number): Promise<void> =>
    goShopping({ shop, catalog, customers, random: new Random(options.seed, `shopper ${n}`) }, until);
  await Promise.all(Array.from({ length: options.shoppers }, (_, n) => shopper(n)));
}

/** A supervisor may still be at it. */
async function everyNodeUp(mesh: Mesh): Promise<void> {
  const deadline = performance.now() + UP_WITHIN_MS;
  while (mesh.nodes.some((node) => !node.ready) && performance.now() < deadline) await pause(100);
}

function falls(mesh: Mesh): string[] {
  return mesh.nodes.flatMap((node) =>
    node.falls.map(
      ({ exit, lastLines }) =>
        `${node.name} ended by itself with ${exit.code ?? exit.signal}: ${lastLines.join(' | ')}`,
    ),
  );
}

/** Takeovers that can be expected in time: another node was there, and nothing struck it or the way to the database. */
function undisturbed(all: readonly Takeover[], chaos: Chaos, { nodesEach }: Options): Takeover[] {
  if (nodesEach < 2) return [];
  return all.filter(
    ({ node, from, to }) => !chaos.disturbed(from, to ?? Number.POSITIVE_INFINITY, mattersToOrders, node),
  );
}

const mattersToOrders = (target: string): boolean => target.startsWith('orders');
