/** Decides whether a process is ready for work: its services have what they need, and it is neither starting nor stopping. */
import type { Service, ServiceBroker } from 'moleculer';
import type { WithDatabase } from '../database/database.mixin.ts';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';

/** Shorter than the timeout of common probes. */
const TIMEOUT_MS = 800;
/** All probes within this time share one answer: a flood of probes must not become a flood of queries. */
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
 * Checks that the process has started and is not stopping, that the action `ready` succeeds for every service of this
 * process that has one (it asks the service's database) and for every service named under `needs`, wherever it runs, and
 * that the clock of this machine agrees with those of its databases.
 * @throws ServiceUnavailable whose data lists the services that are not ready, and `clock`, under `missing`
 */
export async function checkReadiness(broker: ServiceBroker): Promise<Readiness> {
  // Not from the shared answer: a process that begins to stop reports it at once.
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

const WRONG = "the clock of this machine differs from its database's";

const hasWrongClock = (service: Service): boolean =>
  (service as Partial<WithDatabase>).database?.clock.isRight === false;

/** The name of the service if it is not ready, otherwise undefined. */
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
