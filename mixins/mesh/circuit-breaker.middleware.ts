/**
 * Keeps calls from an endpoint that fails. Moleculer's own middleware keeps its state by the endpoint's name, with the
 * endpoint it saw first under that name: once a peer comes back under the same name (a restarted container), that one
 * is dead, and opening marks it while the living one goes on being called. Here the state belongs to the endpoint.
 */
import type { ActionEndpoint, BrokerOptions, Context, Middleware, ServiceBroker } from 'moleculer';

type Options = Required<NonNullable<BrokerOptions['circuitBreaker']>>;

/** Closed: all calls pass. Open: none. Half-open: the next one passes, as a trial. Trying: none until it has ended. */
type State = 'closed' | 'open' | 'half-open' | 'trying';

/** What all breakers of a broker share. */
interface Shared {
  /** The number of the current window. */
  window: number;
  /** Those that are not closed. */
  readonly unhealthy: Set<Breaker>;
}

/**
 * The middleware, with the options and the `$circuit-breaker.*` broadcasts of Moleculer's `CircuitBreaker`.
 *
 * A failure opens its endpoint when the window of `windowTime` seconds holds at least `minRequestCount` calls, and at
 * least the share `threshold` of them failed. The balancer then passes it over. After `halfOpenTime` ms one call goes through as a trial: a
 * failure opens again, any answer closes, and a trial that takes longer than `halfOpenTime` is followed by another.
 * A failure is what `check` says is one, unless it comes from a node behind the peer; other errors are not counted.
 */
export function circuitBreaker(): Middleware {
  const shared: Shared = { window: 0, unhealthy: new Set() };
  const breakers = new WeakMap<ActionEndpoint, Breaker>();
  let windows: NodeJS.Timeout | undefined;

  const guard: Middleware['localAction'] = function guard(this: ServiceBroker, next, action) {
    const options = { ...this.options.circuitBreaker, ...action.circuitBreaker } as Options;
    if (!options.enabled) return next;
    const run = next as (ctx: Context) => Promise<unknown>;
    return function guarded(ctx: Context) {
      const endpoint = ctx.endpoint as ActionEndpoint;
      let breaker = breakers.get(endpoint);
      if (breaker === undefined) breakers.set(endpoint, (breaker = new Breaker(endpoint, options, shared)));
      if (!breaker.beginTrial()) return run(ctx).then(breaker.succeeded, breaker.failed);
      return run(ctx).then(breaker.trialSucceeded, breaker.trialFailed);
    };
  };

  return {
    name: 'CircuitBreaker',
    localAction: guard,
    remoteAction: guard,

    created({ options, localBus }) {
      const { windowTime } = options.circuitBreaker as Options;
      windows = setInterval(() => (shared.window += 1), windowTime * 1_000).unref();
      localBus.on('$services.changed', () => {
        for (const breaker of shared.unhealthy) if (!breaker.isRegistered()) breaker.close();
      });
    },

    stopped() {
      clearInterval(windows);
      for (const breaker of shared.unhealthy) breaker.close();
      return Promise.resolve();
    },
  };
}

/** The breaker of one endpoint. Its handlers are made once, so that a call costs no more than one promise. */
class Breaker {
  readonly #endpoint: ActionEndpoint;
  readonly #options: Options;
  readonly #shared: Shared;
  #state: State = 'closed';
  #window = 0;
  #count = 0;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(endpoint: ActionEndpoint, options: Options, shared: Shared) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#shared = shared;
  }

  // What ends while the breaker is not closed began before it opened, and says nothing new.
  readonly succeeded = (result: unknown): unknown => {
    if (this.#state === 'closed') this.#countCall();
    return result;
  };

  readonly failed = (error: unknown): never => {
    if (this.#state === 'closed' && this.#isFailure(error)) this.#countFailure();
    throw error;
  };

  readonly trialSucceeded = (result: unknown): unknown => {
    if (this.#state === 'closed') return this.succeeded(result);
    this.close();
    return result;
  };

  readonly trialFailed = (error: unknown): never => {
    if (this.#state === 'closed') return this.failed(error);
    if (this.#isFailure(error)) this.#open();
    else this.close();
    throw error;
  };

  /** Whether the call that begins now is the trial. */
  beginTrial(): boolean {
    if (this.#state !== 'half-open') return false;
    this.#become('trying');
    this.#halfOpenLater();
    return true;
  }

  /** Lets all calls through again. */
  close(): void {
    clearTimeout(this.#timer);
    this.#count = 0;
    this.#failures = 0;
    this.#become('closed');
    this.#tell('closed');
  }

  /** Whether the balancer still knows the endpoint; a service that goes takes its endpoints along. */
  isRegistered(): boolean {
    const { registry, action } = this.#endpoint;
    return registry.getActionEndpoints(action.name as string)?.endpoints.includes(this.#endpoint) ?? false;
  }

  #isFailure(error: unknown): boolean {
    if (!this.#options.check(error as Error)) return false;
    const origin = (error as { nodeID?: string } | undefined)?.nodeID;
    return !origin || origin === this.#endpoint.id;
  }

  #countCall(): void {
    if (this.#window !== this.#shared.window) {
      this.#window = this.#shared.window;
      this.#count = 0;
      this.#failures = 0;
    }
    this.#count += 1;
  }

  #countFailure(): void {
    this.#countCall();
    this.#failures += 1;
    const { minRequestCount, threshold } = this.#options;
    // Calls that outlive their endpoint must not open the name of its successor for those who listen.
    if (this.#count >= minRequestCount && this.#failures / this.#count >= threshold && this.isRegistered())
      this.#open();
  }

  #open(): void {
    this.#become('open');
    this.#halfOpenLater();
    const rate = this.#count > 0 ? this.#failures / this.#count : 0;
    this.#tell('opened', { failures: this.#failures, count: this.#count, rate });
  }

  #halfOpenLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#become('half-open');
      this.#tell('half-opened');
    }, this.#options.halfOpenTime).unref();
  }

  #become(state: State): void {
    this.#state = state;
    this.#endpoint.state = state === 'closed' || state === 'half-open';
    if (state === 'closed') this.#shared.unhealthy.delete(this);
    else this.#shared.unhealthy.add(this);
  }

  #tell(news: 'opened' | 'half-opened' | 'closed', more?: object): void {
    const { broker, id: nodeID, service, action } = this.#endpoint;
    void broker.broadcast(`$circuit-breaker.${news}`, {
      nodeID,
      service: service.fullName,
      action: action.name,
      ...more,
    });
  }
}
