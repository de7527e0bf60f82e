/** Which actions this node can call now, judged from its own registry, without a request to other nodes. */
import type { ServiceBroker } from 'moleculer';
import { MeshTransporter } from './nats/nats-transporter.ts';

/**
 * Whether a call of an action would reach a node: one offers it, its breaker lets calls pass, and if it is another node,
 * this one is connected to the mesh. The call may still fail.
 */
export function canReach(broker: ServiceBroker, action: string): boolean {
  const endpoints = broker.registry.getActionEndpoints(action)?.endpoints ?? [];
  return endpoints.some((endpoint) => endpoint.isAvailable && (endpoint.local || isLinked(broker)));
}

function isLinked({ transit }: ServiceBroker): boolean {
  const transporter: unknown = transit?.tx;
  return !(transporter instanceof MeshTransporter) || transporter.linked;
}
