/** Shows which circuit breakers of this process are open. */
import type { Middleware, ServiceBroker } from 'moleculer';
import { BREAKER_OPEN } from './metric-names.ts';

interface BreakerNews {
  action: string;
  nodeID: string;
}

/** A half-open breaker lets only one trial call pass, and still counts as open. */
const OPEN_AFTER = { opened: 1, 'half-opened': 1, closed: 0 } as const;

/** The middleware that keeps the gauge. */
export function breakerMetrics(): Middleware {
  return {
    name: 'BreakerMetrics',
    created({ metrics, localBus }: ServiceBroker) {
      metrics.register({
        type: 'gauge',
        name: BREAKER_OPEN,
        description: '1 while the circuit breaker of an action of a node is open',
        labelNames: ['action', 'node'],
      });
      for (const [news, value] of Object.entries(OPEN_AFTER)) {
        localBus.on(`$circuit-breaker.${news}`, ({ action, nodeID }: BreakerNews) => {
          metrics.set(BREAKER_OPEN, value, { action, node: nodeID });
        });
      }
    },
  };
}
