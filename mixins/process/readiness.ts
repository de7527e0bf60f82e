/** Decides whether a process should be given work: what its services need is there, and it is not on its way out. */
import type { Service, ServiceBroker } from 'moleculer';
import type { WithDatabase } from '../database/database.mixin.ts';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';

/** A probe is answered before common probes give up. */
const TIMEOUT_MS = 800;
/** An answer is given to everyone who asks within this time: a flood of probes must not become one of queries. */
const GOOD_FOR_MS = 200;

/** The answer of a process that is ready. */
export interface Readiness {
  status: 'ready';
}

interface Check {
  answer: Promise<Readiness>;
  goodUntil: number;
}

const lastChecks = new WeakMap<ServiceBroker, Check>();

/**
 * Ready is: the process has started and is not stopping; every service here that has an action `ready` answers it, which
 * it does when its database does; so does every service that one here names under `needs`, wherever it runs; and the clock
 * is that of the databases here.
 * @throws ServiceUnavailable whose data lists under `missing` the services that are not, and `clock`
 */
export async function checkReadiness(broker: ServiceBroker): Promise<Readiness> {
  // Nothing is shared here: a process that begins to stop says so at once.
  if (!broker.started)
    throw notReady(
      ownServices(broker).map(({ name }) => name),
      'this process is starting or stopping',
    );
  const last = lastChecks.get(broker);
  if (last && performance.now() < last.goodUntil) return await last.answer;
  const check: Check = { answer: askServices(broker), goodUntil: Number.POSITIVE_INFINITY };
  lastChecks.set(broker, check);
  try {
    return await check.answer;
  } finally {
    check.goodUntil = performance.now() + GOOD_FOR_MS;
  }
}

/** The failure of a process that is not ready. */
export function notReady(missing: readonly string[], reason: string): ServiceUnavailable {
  return new ServiceUnavailable(`Not ready: ${reason}`, { status: 'unready', missing });
}

async function askServices(broker: ServiceBroker): Promise<Readiness> {
  const services = ownServices(broker);
  const here = services.filter(({ schema }) => schema.actions?.ready !== undefined).map(({ name }) => name);
  const elsewhere = new Set(services.flatMap(needsOf).filter((name) => !here.includes(name)));
  const checks = [
    ...here.map((name) => unlessReady(broker, name, broker.nodeID)),
    ...[...elsewhere].map((name) => unlessReady(broker, name)),
  ];
  const absent = (await Promise.all(checks)).filter((name) => name !== undefined);
  const clock = services.some(hasWrongClock) ? ['clock'] : [];
  if (absent.length + clock.length > 0) {
    const reasons = [
      ...(absent.length > 0 ? [`${absent.join(', ')} cannot be reached`] : []),
      ...clock.map(() => WRONG),
    ];
    throw notReady([...absent, ...clock], reasons.join('; '));
  }
  return { status: 'ready' };
}

const WRONG = 'the clock of this machine is not that of its database';

const hasWrongClock = (service: Service): boolean =>
  (service as Partial<WithDatabase>).database?.clock.isRight === false;

/** The name of the service if it is not ready. */
async function unlessReady(broker: ServiceBroker, name: string, nodeID?: string): Promise<string | undefined> {
  try {
    await broker.call(`${name}.ready`, {}, { timeout: TIMEOUT_MS, nodeID });
    return undefined;
  } catch {
    return name;
  }
}

function ownServices(broker: ServiceBroker): Service[] {
  return broker.services.filter(({ name }) => !name.startsWith('$'));
}

function needsOf({ schema }: Service): readonly string[] {
  return (schema as { needs?: readonly string[] }).needs ?? [];
}
