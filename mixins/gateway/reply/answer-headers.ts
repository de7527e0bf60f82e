/** The headers that every answer has, whatever it answers. */

export type Headers = Record<string, string | number>;

/**
 * What an answer begins with. It is JSON for programs: it must be shown as nothing else, loaded into no page, run
 * nothing, and kept by no cache. An endpoint that answers a page names its own policy.
 */
export function answerHeaders(requestID: string): Headers {
  // One literal: a spread of constants makes an object that Node reads several times more slowly.
  return {
    'X-Request-ID': requestID,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  };
}

/** For answers with a tag: their own caller may keep them, and asks each time whether they are still true. */
export const REVALIDATED = 'private, no-cache';
