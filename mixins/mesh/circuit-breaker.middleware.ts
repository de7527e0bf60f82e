/**
 * Circuit breakers: keep calls away from failing endpoints. Moleculer's own middleware keys its state by endpoint name
 * and holds on to the first endpoint of that name. When a peer comes back under the same name (a restarted container),
 * opening the breaker marks the dead endpoint while calls still go to the live one. Here the state belongs to the endpoint.
 */
import type { ActionEndpoint, BrokerOptions, Context, Middleware, ServiceBroker } from 'moleculer';

type Options = Required<NonNullable<BrokerOptions['circuitBreaker']>>;

/** Closed: all calls pass. Open: none. Half-open: the next one passes, as a trial. Trying: none until the trial ends. */
type State = 'closed' | 'open' | 'half-open' | 'trying';

/** State shared by all breakers of a broker. */
interface Shared {
  /** The number of the current window. */
  window: number;
  /** The breakers that are not closed. */
  readonly unhealthy: Set<Breaker>;
}

/**
 * The middleware, with the options and the `$circuit-breaker.*` broadcasts of Moleculer's `CircuitBreaker`.
 *
 * A breaker opens when, in a window of `windowTime` seconds, its endpoint has had at least `minRequestCount` calls and
 * at least the share `threshold` of them failed. The balancer then skips the endpoint. After `halfOpenTime` ms one call
 * passes as a trial: a failure opens the breaker again, any answer closes it, and after a trial of more than
 * `halfOpenTime` ms another one may pass. `check` decides which errors are failures; those from a node behind the peer
 * never are. Other errors are not counted.
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

/** The breaker of one endpoint. Its handlers are created once, so that a call costs only one promise. */
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

  // A call that ends while the breaker is not closed began before it opened, so it is not counted.
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

  /** Whether the call that begins now is the trial. If so, calls are held back until it ends. */
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
    // A call that outlives its endpoint must not report the successor of the same name as open.
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
