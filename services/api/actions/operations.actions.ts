/** What operators and their probes ask of this node: whether it lives, whether it can be given requests, its metrics. */
import { ROLES } from '../../../mixins/auth/caller.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { readMetrics } from '../../../mixins/metrics/prometheus.ts';
import { checkReadiness } from '../../../mixins/process/readiness.ts';

/** Answers while the process does. */
export const live = defineAction<object, object>({
  access: ROLES,
  params: { $$strict: true },
  handler: async () => await Promise.resolve({ status: 'live' }),
});

/** @throws ServiceUnavailable whose data lists what is missing */
export const readiness = defineAction<object, object>({
  access: ROLES,
  params: { $$strict: true },
  // A node says that it is not ready as often as it is asked, which is no failure of the gateway.
  circuitBreaker: { enabled: false },
  async handler() {
    return await checkReadiness(this.broker);
  },
});

/** The text of all metrics of this process, as Prometheus reads it. */
export const metrics = defineAction<object, object>({
  access: ['staff', 'admin'],
  params: { $$strict: true },
  async handler() {
    return await readMetrics(this.broker);
  },
});
