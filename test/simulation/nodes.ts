/** The nodes of orders in a simulated world: the real engine on the twin store, killed, stopped and started again. */
import { SHIPMENT_STATES } from '../../machines/shipment/shipment.machine.ts';
import { type OrderEngine, orderEngine } from '../../services/orders/engine/order-engine.ts';
import { parcelDelivered } from '../../services/orders/orders.subscriptions.ts';
import { TwinOrderStore } from '../support/twin-order-store.ts';
import { TERMS } from './profile.ts';
import type { Process } from './scheduler.ts';
import type { World } from './world.ts';

const RECOVERY_TICK_MS = 500;
const PARCEL_ACK_WAIT_MS = 3_000;
const SHUTDOWN_MS = 10_000;

/** One life of a node: it begins with a start and ends with a crash, or a shutdown. */
export interface SimNode extends OrderEngine {
  process: Process;
  store: TwinOrderStore;
  /** False while it shuts down. */
  accepts: boolean;
}

export class Nodes {
  readonly #world: World;
  readonly #nodes: SimNode[] = [];
  #starts = 0;

  constructor(world: World) {
    this.#world = world;
    for (let i = 0; i < world.profile.nodes; i++) this.#start(`node-${i}`);
  }

  /** A node that accepts requests; undefined when there is none at the moment. */
  any(): SimNode | undefined {
    const open = this.#nodes.filter((node) => node.accepts);
    return open.length > 0 ? this.#world.chance.pick(open) : undefined;
  }

  /** Strikes nodes between two steps. */
  maybeStrike(): void {
    const { chance, scheduler } = this.#world;
    const node = this.#nodes.length > 0 ? chance.pick(this.#nodes) : undefined;
    if (!node) return;
    if (this.#world.strikes('crash')) this.#crash(node);
    else if (this.#world.strikes('stop')) {
      node.process.stoppedUntil = scheduler.now + chance.between(500, 3 * TERMS.leaseMs);
      scheduler.note(`${node.process.name} is stopped`);
    } else if (this.#world.strikes('shutdown') && node.accepts) this.#shutDown(node);
    if (!this.#world.strikes('clockJump')) return;
    const jumpMs = chance.between(-10_000, 10_000);
    if (chance.happens(0.5)) this.#world.databaseSkewMs += jumpMs;
    else node.process.skewMs += jumpMs;
    scheduler.note(`a clock jumps by ${jumpMs}`);
  }

  /** A parcel arrives; the news are repeated until some node has taken them. */
  parcelArrives(): void {
    const { chance, tracking, scheduler } = this.#world;
    const made = [...tracking.shipments].filter(([, { status }]) => status === SHIPMENT_STATES[0]);
    if (made.length === 0) return;
    const [orderId] = chance.pick(made);
    if (!tracking.report(orderId, 'DELIVERED')) return;
    let handled = false;
    const tell = (): void => {
      if (handled) return;
      const node = this.any();
      scheduler.after(node ? PARCEL_ACK_WAIT_MS : 500, `parcel of ${orderId} is told again`, undefined, tell);
      if (!node) return;
      scheduler.after(3, `parcel of ${orderId} has arrived`, node.process, () => {
        parcelDelivered(node.host, orderId).then(
          () => {
            handled = true;
          },
          () => undefined,
        );
      });
    };
    tell();
  }

  #start(name: string): void {
    const world = this.#world;
    const process: Process = { name, alive: true, stoppedUntil: 0, skewMs: 0 };
    const clock = world.clock(process);
    const lease = { node: name, leaseMs: TERMS.leaseMs, ttlMs: TERMS.ttlMs };
    const store = new TwinOrderStore(world.tables, lease, world.link(process), clock);
    const { maxAttempts } = world.profile;
    const terms = {
      ...TERMS,
      node: name,
      maxAttempts,
      pendingTtlMs: TERMS.ttlMs,
      maxInFlight: 64,
      recoveryRate: 100,
      recoveryTickMs: RECOVERY_TICK_MS,
    };
    const unheard = { failed: () => undefined, worked: () => undefined };
    const watch = { recovery: unheard, carryOn: unheard };
    const engine = orderEngine(store, world.peers(process), terms, watch, clock);
    engine.recovery.start();
    this.#nodes.push({ ...engine, process, store, accepts: true });
    world.scheduler.note(`${name} starts`);
  }

  #crash(node: SimNode): void {
    this.#world.scheduler.note(`${node.process.name} crashes`);
    this.#bury(node);
  }

  #shutDown(node: SimNode): void {
    node.accepts = false;
    this.#world.scheduler.note(`${node.process.name} shuts down`);
    const done = (): void => {
      if (node.process.alive) this.#bury(node);
    };
    void node.recovery
      .stop()
      .then(() => node.host.drained())
      .then(() => node.store.drained())
      .then(done);
    this.#world.scheduler.after(SHUTDOWN_MS, `${node.process.name} is killed if it is still there`, undefined, done);
  }

  #bury(node: SimNode): void {
    const { chance, scheduler } = this.#world;
    node.process.alive = false;
    node.accepts = false;
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    // It comes back under its own name, as with NODEID, or under a new one.
    const [name] = node.process.name.split('+') as [string];
    const next = chance.happens(0.5) ? node.process.name : `${name}+${++this.#starts}`;
    scheduler.after(chance.between(0, 5_000), `${next} is started`, undefined, () => this.#start(next));
  }
}
