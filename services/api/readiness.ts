/** Decides whether this process should be given requests. */
import type { ServiceBroker } from 'moleculer';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';

/** The service without which no order can be taken. It may run in any process. */
const NEEDED = 'orders';
/** A probe is answered before common probes give up. */
const TIMEOUT_MS = 800;

/**
 * Ready is: the orders service answers, and every service of this process that has an action `ready` answers it,
 * which it does when its database does. Services that are away in other processes do not count: owed work waits.
 * @throws ServiceUnavailable whose data lists what is missing
 */
export async function checkReadiness(broker: ServiceBroker): Promise<{ status: 'ready' }> {
  const here = broker.services
    .filter((service) => service.schema.actions?.ready !== undefined)
    .map((service) => service.name);
  const checks = here.map((name) => isReady(broker, name, broker.nodeID));
  if (!here.includes(NEEDED)) checks.push(isReady(broker, NEEDED));
  const missing = (await Promise.all(checks)).filter((name) => name !== undefined);
  if (missing.length > 0) {
    throw new ServiceUnavailable(`Not ready: ${missing.join(', ')} cannot be reached`, { status: 'unready', missing });
  }
  return { status: 'ready' };
}

/** The name of the service if it is not ready. */
async function isReady(broker: ServiceBroker, name: string, nodeID?: string): Promise<string | undefined> {
  try {
    await broker.call(`${name}.ready`, {}, { timeout: TIMEOUT_MS, nodeID });
    return undefined;
  } catch {
    return name;
  }
}
