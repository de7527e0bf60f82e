/** What every fault is: drawn from the seed without looking at anything, then struck on the running mesh. */
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import { type Mesh, nodeNames, type Shape, STATEFUL, type Stateful } from '../mesh.ts';
import type { Proxy } from '../../support/process/proxy.ts';
import type { Random } from '../../support/random.ts';
import type { Takeovers } from '../takeover.ts';
import type { ServiceName } from '../waybill-node.ts';

/** The mesh, and who is notified when a node falls silent. */
export interface Field {
  readonly mesh: Mesh;
  readonly takeovers: Takeovers;
}

/** One strike, with its particulars drawn. */
export interface Strike {
  /** The targets it holds exclusively while it lasts: no two strikes have the same target at a time. */
  readonly targets: readonly string[];
  /** Its particulars, for people. */
  readonly detail: string;
  /**
   * Strikes, and undoes its effects before it resolves.
   * @throws Missed when it found nothing to strike; any other error when something did not go as it must.
   */
  strike(field: Field): Promise<void>;
}

export interface Fault {
  readonly kind: string;
  /** How often it is drawn, against the others. */
  readonly weight: number;
  /** Draws one strike. Pure: the same numbers give the same strike. */
  draw(random: Random, shape: Shape): Strike;
}

/** There was nothing to strike: no connection to cut, no commit that came by. It is not counted. */
export class Missed extends Error {}

/** The system did not bear a strike as it must: that is a violation. */
export class Misbehaved extends Error {}

export { pause };

/** Any node, or one of these services. */
export function drawNode(
  random: Random,
  shape: Shape,
  services: readonly ServiceName[] = ['api', ...STATEFUL],
): string {
  return random.pick(nodeNames(random.pick(services), shape));
}

export const drawDatabase = (random: Random): Stateful => random.pick(STATEFUL);

export const databaseTarget = (service: Stateful): string => `${service} database`;

/** A connection of a node to one of its servers. */
export interface LinkName {
  node: string;
  to: 'postgres' | 'nats';
}

export function drawLink(random: Random, shape: Shape, natsToo = true): LinkName {
  const to = natsToo && random.happens(0.3) ? 'nats' : 'postgres';
  return { node: drawNode(random, shape, STATEFUL), to };
}

export const linkTarget = ({ node, to }: LinkName): string => `${node} to ${to}`;

export function linkOf(mesh: Mesh, { node, to }: LinkName): Proxy {
  return mesh.node(node).links[to] as Proxy;
}

/** Waits until a connection is there to be struck. */
export async function connected(proxy: Proxy): Promise<void> {
  await eventually(
    () => {
      if (proxy.connections === 0) throw new Missed('there was no connection');
    },
    { withinMs: 5_000 },
  );
}

/** Waits until a process is up, as one that another fault has ended may not be yet. */
export async function up(mesh: Mesh, name: string): Promise<void> {
  await eventually(
    () => {
      if (!mesh.node(name).ready) throw new Missed(`${name} is not up`);
    },
    { withinMs: 10_000 },
  );
}

/** Makes the databases of inventory slow for a moment, so that orders are in the middle of it when `then` strikes. */
export async function withWorkInFlight(mesh: Mesh, forMs: number, then: () => Promise<void>): Promise<void> {
  const links = mesh.nodes.filter((node) => node.service === 'inventory').map((node) => node.links.postgres as Proxy);
  for (const link of links) link.delayMs += SLOW_MS;
  try {
    await pause(forMs);
    await then();
  } finally {
    for (const link of links) link.delayMs -= SLOW_MS;
  }
}

const SLOW_MS = 250;
