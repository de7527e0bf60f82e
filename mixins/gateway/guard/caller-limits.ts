/** How often each caller may ask this gateway. */
import type { IncomingMessage } from 'node:http';
import { TooManyRequests } from '../gateway.failures.ts';
import type { Caller } from '../../auth/caller.ts';
import type { HttpMetrics } from '../../metrics/http-metrics.ts';
import { callerAddress, networkOf } from './caller-address.ts';
import type { GatewaySettings, Rate } from '../gateway.settings.ts';
import { RateLimiter } from './rate-limiter.ts';

/** A bucket for each caller, and for each address from which nobody known is asking. */
export class CallerLimits {
  readonly #limiter: RateLimiter;
  readonly #trustedProxies: number;
  readonly #metrics: HttpMetrics;

  constructor(rate: Rate, { trustedProxies }: Pick<GatewaySettings, 'trustedProxies'>, metrics: HttpMetrics) {
    this.#limiter = new RateLimiter(rate);
    this.#trustedProxies = trustedProxies;
    this.#metrics = metrics;
  }

  /**
   * Takes a request out of its caller's bucket. The engine itself asks for whoever is not known: then it is the bucket
   * of the address, so that guessing at tokens is limited too.
   * @throws TooManyRequests with the seconds until the next request may come
   */
  charge(request: IncomingMessage, { role, customerId, subject }: Caller): void {
    const known = role !== 'service';
    const key = known ? `${role} ${customerId ?? subject}` : networkOf(callerAddress(request, this.#trustedProxies));
    const waitMs = this.#limiter.take(key);
    if (waitMs === 0) return;
    this.#metrics.limited(known ? 'caller' : 'address');
    const retryAfterSeconds = Math.ceil(waitMs / 1_000);
    const message = `Rate limit exceeded; retry in ${retryAfterSeconds} s`;
    throw new TooManyRequests(message, { retryAfterSeconds });
  }
}
