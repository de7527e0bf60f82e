/** How a process begins and ends: a failed start is one line, a stop lets everything in flight finish in its order. */
import type { Middleware, Service, ServiceBroker } from 'moleculer';
import { refuseStart } from './refusal.ts';

/** What the process gives back when its services have stopped, or when they could not start. */
export interface LifecycleOptions {
  /** Gives back what the process holds, in at most `withinMs`. */
  release: (withinMs: number) => Promise<void>;
}

/** A stop that hangs is cut off here: what is in flight is durable, and is carried on by the next start. */
const STOP_DEADLINE_MS = 9_000;
const RELEASE_TIMEOUT_MS = 5_000;

/** The middleware; it belongs at the end of the list, so that it hears of a service's stop before the others do. */
export function lifecycleMiddleware({ release }: LifecycleOptions): Middleware {
  let refusing = false;
  const refuse = async (error: unknown): Promise<never> => {
    // The first reason is the one that is told; the others wait for the exit.
    if (refusing) return await new Promise<never>(() => undefined);
    refusing = true;
    await release(RELEASE_TIMEOUT_MS).catch(() => undefined);
    return refuseStart(error);
  };
  const stopped = new Map<Service, PromiseWithResolver>();

  return {
    name: 'Lifecycle',

    created(broker) {
      stopOnce(broker, () => release(RELEASE_TIMEOUT_MS));
      broker.fatal = (message, error, needExit = true) => {
        broker.logger.debug(message, error);
        if (needExit) void refuse(error ?? new Error(message));
        else broker.logger.fatal(message, error);
      };
      process.on('unhandledRejection', (reason) => broker.logger.error('A promise was rejected unheard:', reason));
    },

    serviceCreated(service) {
      stopped.set(service, resolvable());
    },

    serviceStarting(service) {
      const given = service.schema.started as unknown;
      const handlers = (Array.isArray(given) ? given : [given]).filter((each) => typeof each === 'function');
      const schema = service.schema as { started?: unknown };
      schema.started = handlers.map(
        (handler: (this: Service) => unknown) =>
          async function started(this: Service): Promise<void> {
            try {
              await handler.call(this);
            } catch (error) {
              this.logger.debug(error);
              await refuse(error);
            }
          },
      );
      return Promise.resolve();
    },

    /** Callers stop before those they call, so that what is in flight finds its peers. */
    async serviceStopping(service) {
      const callers = service.broker.services.filter((other) => callsOf(other).includes(service.name));
      await Promise.all(callers.map(async (other) => await stopped.get(other)?.promise));
    },

    serviceStopped(service) {
      stopped.get(service)?.resolve();
      return Promise.resolve();
    },
  };
}

/**
 * Ctrl-C reaches a process twice under npm: once from the terminal, once handed on. What the process holds is given back
 * also when the stop fails half-way, as it does when NATS goes at the same moment: the hooks that follow are left out then.
 */
function stopOnce(broker: ServiceBroker, release: () => Promise<void>): void {
  const stop = broker.stop.bind(broker);
  let stopping: Promise<void> | undefined;
  const begin = async (): Promise<void> => {
    const deadline = setTimeout(() => {
      broker.logger.warn('The stop took too long and is cut off; what was in flight is carried on by the next start.');
      process.exit(0);
    }, STOP_DEADLINE_MS).unref();
    try {
      await stop();
    } finally {
      await release();
      clearTimeout(deadline);
    }
  };
  broker.stop = () => (stopping ??= begin());
}

/** The services that a service says it calls, under `calls` in its schema. */
function callsOf(service: Service): readonly string[] {
  return (service.schema as { calls?: readonly string[] }).calls ?? [];
}

interface PromiseWithResolver {
  promise: Promise<void>;
  resolve: () => void;
}

function resolvable(): PromiseWithResolver {
  const made: Partial<PromiseWithResolver> = {};
  made.promise = new Promise<void>((done) => {
    made.resolve = done;
  });
  return made as PromiseWithResolver;
}
