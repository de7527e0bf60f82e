/** Notices within two seconds that another node hangs, has stopped or is gone, and leaves it out until it answers again. */
import type { Middleware, ServiceBroker } from 'moleculer';
import { MeshTransporter } from './nats/nats-transporter.ts';

/** How often nodes are looked at; one that was not heard of for as long is pinged. */
const LOOK_MS = 250;
/** A node that is silent for as long, although it is pinged, hangs. Shorter than a call may take (CALL_TIMEOUT). */
const SILENT_MS = 1_100;

/** Moleculer's list of nodes and its discovery; its types omit them. */
interface Registry {
  nodes: {
    toArray(): { id: string; local: boolean; available: boolean; services?: readonly unknown[] }[];
    get(nodeID: string): { available: boolean } | undefined;
    disconnected(nodeID: string, isUnexpected: boolean): void;
  };
  discoverer: { discoverNode(nodeID: string): Promise<unknown> };
}

interface Packet {
  payload: { sender?: string } | null;
}

/**
 * The middleware. Whatever a node sends shows that it lives; one that sends nothing is pinged, and answers unless it hangs.
 * A silent node is dropped from the registry: calls go to other nodes, those in flight to it fail at once, and
 * `$node.disconnected` tells this node's services. It is taken back with the first packet it sends. A node that has never
 * answered a ping, because its permissions at NATS do not let it, is left to its heartbeats.
 */
export function nodeWatch(): Middleware {
  let watch: NodeWatch | undefined;
  return {
    name: 'NodeWatch',
    created(broker: ServiceBroker) {
      watch = new NodeWatch(broker);
    },
    started: () => watch?.start(),
    stopping: () => watch?.stop(),
    transitMessageHandler: (next: (type: string, packet: Packet) => unknown) => (type: string, packet: Packet) => {
      watch?.heard(type, packet.payload?.sender);
      return next(type, packet);
    },
  } as unknown as Middleware;
}

class NodeWatch {
  readonly #broker: ServiceBroker;
  /** When each node was heard of last, by `performance.now()`. */
  readonly #heardAt = new Map<string, number>();
  readonly #answering = new Set<string>();
  readonly #asked = new Map<string, number>();
  #lookedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(broker: ServiceBroker) {
    this.#broker = broker;
  }

  start(): void {
    const transporter: unknown = this.#broker.transit?.tx;
    if (!(transporter instanceof MeshTransporter)) return;
    this.#lookedAt = performance.now();
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  heard(type: string, sender: string | undefined): void {
    if (sender === undefined || this.#timer === undefined) return;
    const now = performance.now();
    this.#heardAt.set(sender, now);
    if (type === 'PONG') this.#answering.add(sender);
    if (type === 'DISCONNECT' || type === 'INFO') return;
    if (this.#registry.nodes.get(sender)?.available !== false || now - (this.#asked.get(sender) ?? 0) < SILENT_MS)
      return;
    // Its services were dropped, so it has to tell them again.
    this.#asked.set(sender, now);
    void this.#registry.discoverer.discoverNode(sender);
  }

  #look(): void {
    const now = performance.now();
    const delay = now - this.#lookedAt - LOOK_MS;
    this.#lookedAt = now;
    const transporter: unknown = this.#broker.transit?.tx;
    const linked = transporter instanceof MeshTransporter && transporter.linked;
    // Names of processes may never come back.
    for (const id of this.#answering) if (!this.#registry.nodes.get(id)) this.#forget(id);
    for (const { id, local, available, services } of this.#registry.nodes.toArray()) {
      if (local || !available || !services?.length) {
        this.#heardAt.delete(id);
        continue;
      }
      let heardAt = this.#heardAt.get(id) ?? now;
      // This process itself was held up, or cut off: it could hear nobody.
      if (!linked) heardAt = now;
      else if (delay > LOOK_MS) heardAt += delay;
      this.#heardAt.set(id, heardAt);
      const silentMs = now - heardAt;
      if (silentMs >= SILENT_MS && this.#answering.has(id)) this.#drop(id, silentMs);
      else if (silentMs >= LOOK_MS || !this.#answering.has(id)) void this.#broker.transit?.sendPing(id);
    }
  }

  #drop(id: string, silentMs: number): void {
    this.#heardAt.delete(id);
    this.#broker.logger.warn(
      `Node ${id} has not answered for ${(silentMs / 1_000).toFixed(1)} s: calls go to other nodes`,
    );
    this.#registry.nodes.disconnected(id, true);
  }

  #forget(id: string): void {
    this.#heardAt.delete(id);
    this.#answering.delete(id);
    this.#asked.delete(id);
  }

  get #registry(): Registry {
    // Its types omit the catalogue of nodes.
    return (this.#broker as { registry: unknown }).registry as Registry;
  }
}
