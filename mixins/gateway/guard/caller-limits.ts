/** The rate limits of a gateway's callers. */
import type { IncomingMessage } from 'node:http';
import { TooManyRequests } from '../gateway.failures.ts';
import type { Caller } from '../../auth/caller.ts';
import type { HttpMetrics } from '../../metrics/http-metrics.ts';
import { callerAddress, networkOf } from './caller-address.ts';
import type { GatewaySettings, Rate } from '../gateway.settings.ts';
import { RateLimiter } from './rate-limiter.ts';

const isKnown = ({ role }: Caller): boolean => role !== 'service';

/** What stands for the sender of a request: the caller that its token names, or its network while that is unknown. */
export function callerKey(request: IncomingMessage, caller: Caller, trustedProxies: number): string {
  if (!isKnown(caller)) return networkOf(callerAddress(request, trustedProxies));
  return `${caller.role} ${caller.customerId ?? caller.subject}`;
}

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
  charge(request: IncomingMessage, caller: Caller): void {
    const waitMs = this.#limiter.take(callerKey(request, caller, this.#trustedProxies));
    if (waitMs === 0) return;
    this.#metrics.limited(isKnown(caller) ? 'caller' : 'address');
    const retryAfterSeconds = Math.ceil(waitMs / 1_000);
    throw new TooManyRequests(`Rate limit exceeded; retry in ${retryAfterSeconds} s`, { retryAfterSeconds });
  }
}
