/** live, readiness, metrics: what operators and their probes ask of this node. */
import { ROLES } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { readMetrics } from '../../../mixins/metrics/prometheus.ts';
import { checkReadiness } from '../../../mixins/process/readiness.ts';

/** Responds while the process is alive. */
export const live = defineAction<object, object>({
  access: ROLES,
  params: { $$strict: true },
  handler: async () => await Promise.resolve({ status: 'live' }),
});

/** @throws ServiceUnavailable whose data lists what is missing */
export const readiness = defineAction<object, object>({
  access: ROLES,
  params: { $$strict: true },
  // Not being ready is a regular answer, so repeating it must not open the breaker.
  circuitBreaker: { enabled: false },
  async handler() {
    return await checkReadiness(this.broker);
  },
});

/** All metrics of this process in the Prometheus text format. */
export const metrics = defineAction<object, object>({
  access: ['staff', 'admin'],
  params: { $$strict: true },
  async handler() {
    return await readMetrics(this.broker);
  },
});
