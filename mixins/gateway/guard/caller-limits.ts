/** The rate limits of a gateway's callers. */
import type { IncomingMessage } from 'node:http';
import { TooManyRequests } from '../gateway.failures.ts';
import type { Caller } from '../../auth/caller.ts';
import type { HttpMetrics } from '../../metrics/http-metrics.ts';
import { callerAddress, networkOf } from './caller-address.ts';
import type { GatewaySettings, Rate } from '../gateway.settings.ts';
import { RateLimiter } from './rate-limiter.ts';

/** A bucket for each caller, and for each network of unknown callers. */
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
   * Takes one request from its caller's bucket. The role `service` stands for an unknown caller here, whose network is
   * charged instead: this also limits attempts to guess tokens.
   * @throws TooManyRequests with the seconds to wait before the next request
   */
  charge(request: IncomingMessage, { role, customerId, subject }: Caller): void {
    const known = role !== 'service';
    const key = known ? `${role} ${customerId ?? subject}` : networkOf(callerAddress(request, this.#trustedProxies));
    const waitMs = this.#limiter.take(key);
    if (waitMs === 0) return;
    this.#metrics.limited(known ? 'caller' : 'address');
    const retryAfterSeconds = Math.ceil(waitMs / 1_000);
    throw new TooManyRequests(`Rate limit exceeded; retry in ${retryAfterSeconds} s`, { retryAfterSeconds });
  }
}
