/** How a process begins and ends: a start that fails is one line, a stop lets what is in flight finish, callers first. */
import type { Middleware, Service, ServiceBroker } from 'moleculer';
import { refuseStart } from './refusal.ts';

/** What the process holds beside its services. */
export interface LifecycleOptions {
  /** Gives it back, in at most `withinMs`. Called when the services have stopped, or when they cannot start. */
  release: (withinMs: number) => Promise<void>;
}

/** The `started` of a service. */
type Handler = (this: Service) => unknown;

/** A stop that hangs is cut off here: what was in flight is durable, and the next start resumes it. */
const STOP_DEADLINE_MS = 9_000;
const RELEASE_TIMEOUT_MS = 5_000;

/** The middleware. It belongs at the end of the list, so that it hears of a service's stop before the others do. */
export function lifecycleMiddleware({ release }: LifecycleOptions): Middleware {
  const ends = new Map<Service, End>();
  let refusing = false;

  /** Ends the process with the line for `error`. The first reason is told; whoever comes with another waits for the exit. */
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
      // Moleculer's own would print a stack and exit without giving anything back.
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

    /** A service that cannot start ends the process here, in one line: Moleculer would print the stack, and give nothing back. */
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

    /** A service stops after those here that call it, so that what they have in flight still finds it. */
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
 * Has `broker.stop` run once, however often it is called: under npm Ctrl-C reaches a process twice, from the terminal and
 * from npm. What the process holds is given back even when the stop fails half-way, as it does when NATS goes at the same
 * moment: Moleculer then leaves out the hooks that follow.
 */
function stopOnce(broker: ServiceBroker, release: () => Promise<void>): void {
  const stop = broker.stop.bind(broker);
  let stopping: Promise<void> | undefined;
  const begin = async (): Promise<void> => {
    const deadline = setTimeout(() => {
      broker.logger.warn('The stop took too long and is cut off; the next start resumes what was in flight.');
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

/** The end of a service's stop, which others wait for. */
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
