/** What can be called from here now: without asking anybody, from what this node knows of the others. */
import type { ServiceBroker } from 'moleculer';
import { MeshTransporter } from './nats/nats-transporter.ts';

/**
 * Whether a call of an action would reach somebody: a node offers it, no breaker keeps calls from it, and where that is
 * another node, this one has its link to the mesh. Nothing is promised of the answer.
 */
export function canReach(broker: ServiceBroker, action: string): boolean {
  const endpoints = broker.registry.getActionEndpoints(action)?.endpoints ?? [];
  return endpoints.some((endpoint) => endpoint.isAvailable && (endpoint.local || isLinked(broker)));
}

function isLinked({ transit }: ServiceBroker): boolean {
  const transporter: unknown = transit?.tx;
  return !(transporter instanceof MeshTransporter) || transporter.linked;
}
