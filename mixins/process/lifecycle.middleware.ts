/** Start and stop of a process: a failed start prints one line; a stop lets calls in flight finish, callers first. */
import type { Middleware, Service, ServiceBroker } from 'moleculer';
import { refuseStart } from './refusal.ts';

/** The resources that the process holds besides its services. */
export interface LifecycleOptions {
  /** Releases them within `withinMs`. Called when the services have stopped, or when they cannot start. */
  release: (withinMs: number) => Promise<void>;
}

/** The `started` of a service. */
type Handler = (this: Service) => unknown;

/** A stop that takes longer is cut off: what was in flight is durable, and the next start resumes it. */
const STOP_DEADLINE_MS = 9_000;
const RELEASE_TIMEOUT_MS = 5_000;

/** The middleware. It must be the last in the list, so that it learns of a service's stop before the others. */
export function lifecycleMiddleware({ release }: LifecycleOptions): Middleware {
  const ends = new Map<Service, End>();
  let refusing = false;

  /** Ends the process with the line for `error`. Only the first error is reported; later ones wait for the exit. */
  const refuse = async (error: unknown): Promise<never> => {
    if (refusing) return await new Promise<never>(() => undefined);
    refusing = true;
    await release(RELEASE_TIMEOUT_MS).catch(() => undefined);
    return refuseStart(error);
  };

  return {
    name: 'Lifecycle',

    created(broker) {
      stopOnce(broker, () => release(RELEASE_TIMEOUT_MS));
      // Moleculer's own prints a stack and exits without releasing anything.
      broker.fatal = (message, error, needExit = true) => {
        broker.logger.debug(message, error);
        if (needExit) void refuse(error ?? new Error(message));
        else broker.logger.fatal(message, error);
      };
      process.on('unhandledRejection', (reason) => broker.logger.error('Unhandled promise rejection:', reason));
    },

    serviceCreated(service) {
      ends.set(service, newEnd());
    },

    /** Ends the process with one line when a service cannot start: Moleculer prints a stack and releases nothing. */
    serviceStarting(service) {
      const schema = service.schema as { started?: unknown };
      const handlers = [schema.started].flat().filter((each): each is Handler => typeof each === 'function');
      schema.started = handlers.map(
        (handler) =>
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

    /** Stops a service after the services in this process that call it, so that their calls in flight still succeed. */
    async serviceStopping(service) {
      const callers = service.broker.services.filter((other) => callsOf(other).includes(service.name));
      await Promise.all(callers.map(async (caller) => await ends.get(caller)?.reached));
    },

    serviceStopped(service) {
      ends.get(service)?.reach();
      return Promise.resolve();
    },
  };
}

/**
 * Makes `broker.stop` run once, however often it is called: under npm, Ctrl-C reaches the process twice, from the terminal
 * and from npm. Resources are released even when the stop fails half-way, for example because NATS goes away at the same
 * moment: Moleculer then skips the remaining hooks.
 */
function stopOnce(broker: ServiceBroker, release: () => Promise<void>): void {
  const stop = broker.stop.bind(broker);
  let stopping: Promise<void> | undefined;
  const begin = async (): Promise<void> => {
    const deadline = setTimeout(() => {
      broker.logger.warn('The stop took too long and was cut off; the next start resumes what was in flight.');
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

/** The services that a service calls, as its schema declares under `calls`. */
function callsOf(service: Service): readonly string[] {
  return (service.schema as { calls?: readonly string[] }).calls ?? [];
}

/** The end of a service's stop, for which others wait. */
interface End {
  reached: Promise<void>;
  reach: () => void;
}

function newEnd(): End {
  const end: Partial<End> = {};
  end.reached = new Promise<void>((resolve) => {
    end.reach = resolve;
  });
  return end as End;
}
