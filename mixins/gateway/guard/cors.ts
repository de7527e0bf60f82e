/** Which pages of other origins may call the API from a browser (the Fetch standard's CORS protocol). */
import type { IncomingMessage } from 'node:http';
import type { Headers } from '../reply/answer-headers.ts';

/** What a page may send beside what every page may. */
const ALLOWED_HEADERS = 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID';
/** What a page may read beside what every page may. */
const EXPOSED_HEADERS = 'Location, ETag, Link, Retry-After, X-Request-ID, X-Error-Type, Idempotent-Replayed';
/** How long a browser may remember what it was allowed. */
const PREFLIGHT_SECONDS = '600';

// What is allowed depends on who asks, also when the answer is that nothing is.
const REFUSED: Headers = Object.freeze({ Vary: 'Origin' });

/**
 * The named origins and no other. Callers are known by tokens, which a page must hold and send itself; so cookies and
 * other credentials that a browser adds by itself are never allowed.
 */
export class Cors {
  readonly #allowed: ReadonlyMap<string | undefined, Headers>;

  constructor(origins: readonly string[]) {
    this.#allowed = new Map(
      origins.map((origin) => [
        origin,
        Object.freeze({
          Vary: 'Origin',
          'Access-Control-Allow-Origin': origin,
          'Access-Control-Expose-Headers': EXPOSED_HEADERS,
        }),
      ]),
    );
  }

  /** What any answer to this request says. */
  headersFor({ headers: { origin } }: IncomingMessage): Headers {
    return this.#allowed.get(origin) ?? REFUSED;
  }

  /** What the answer to OPTIONS says besides, when it is a browser that asks for leave. */
  leaveFor({ headers }: IncomingMessage, methods: string): Headers | undefined {
    if (headers['access-control-request-method'] === undefined || !this.#allowed.has(headers.origin)) return undefined;
    return {
      'Access-Control-Allow-Methods': methods,
      'Access-Control-Allow-Headers': ALLOWED_HEADERS,
      'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    };
  }
}
