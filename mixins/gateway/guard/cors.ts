/** CORS: which pages of other origins may call the API from a browser (Fetch standard). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Headers } from '../reply/answer-headers.ts';

/** The request headers that a page may send besides the CORS-safelisted ones. */
const ALLOWED_HEADERS = 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID';
/** The response headers that a page may read besides the CORS-safelisted ones. */
const EXPOSED_HEADERS = 'Location, ETag, Link, Retry-After, X-Request-ID, X-Error-Type, Idempotent-Replayed';
/** How long a browser may cache the answer to a preflight request. */
const PREFLIGHT_SECONDS = '600';

/**
 * Allows the named origins only. Pages authenticate with a token that they hold and send themselves, so credentials that
 * a browser adds on its own, such as cookies, are never allowed.
 */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** Sets the CORS headers that every answer to this request carries. */
  writeHeaders({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    // The answer depends on the origin even when it allows nothing.
    response.setHeader('Vary', 'Origin');
    if (origin === undefined || !this.#origins.has(origin)) return;
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  }

  /** The additional headers of the answer to a preflight request; undefined for any other OPTIONS request. */
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
