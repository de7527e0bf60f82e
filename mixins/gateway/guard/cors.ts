/** Which pages of other origins may call the API from a browser (the Fetch standard's CORS protocol). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Headers } from '../reply/answer-headers.ts';

/** What a page may send beside what every page may. */
const ALLOWED_HEADERS = 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID';
/** What a page may read beside what every page may. */
const EXPOSED_HEADERS = 'Location, ETag, Link, Retry-After, X-Request-ID, X-Error-Type, Idempotent-Replayed';
/** How long a browser may remember what it was allowed. */
const PREFLIGHT_SECONDS = '600';

/**
 * The named origins and no other. Callers are known by tokens, which a page must hold and send itself; so cookies and
 * other credentials that a browser adds by itself are never allowed.
 */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** Writes what any answer to this request says. */
  writeHeaders({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    // What is allowed depends on who asks, also when the answer is that nothing is.
    response.setHeader('Vary', 'Origin');
    if (origin === undefined || !this.#origins.has(origin)) return;
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  }

  /** What the answer to OPTIONS says besides, when it is a browser that asks for leave. */
  leaveFor({ headers }: IncomingMessage, methods: string): Headers | undefined {
    const { origin, 'access-control-request-method': wanted } = headers;
    if (wanted === undefined || origin === undefined || !this.#origins.has(origin)) return undefined;
    return {
      'Access-Control-Allow-Methods': methods,
      'Access-Control-Allow-Headers': ALLOWED_HEADERS,
      'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    };
  }
}
