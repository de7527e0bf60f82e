/** The headers that every answer carries. */

export type Headers = Record<string, string | number>;

/**
 * The default headers. Answers are JSON for programs: they must not be shown as anything else, framed, executed or
 * cached. An endpoint that serves a page sets its own policy.
 */
export function answerHeaders(requestID: string): Headers {
  // One literal: Node reads an object made by spreading constants several times more slowly.
  return {
    'X-Request-ID': requestID,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  };
}

/** Cache-Control of answers with an ETag: only their caller may cache them, and must revalidate them each time. */
export const REVALIDATED = 'private, no-cache';
