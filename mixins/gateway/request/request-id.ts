/** The id of a request: in its answer, in every log line about it, and with every call it makes. */
import { randomUUID } from 'node:crypto';

const VISIBLE = /^[\x21-\x7e]{1,128}$/;

/** The caller's own id when it is 1 to 128 visible ASCII characters, else a new one. */
export function sanitizedId(header: string | string[] | undefined): string {
  return typeof header === 'string' && VISIBLE.test(header) ? header : randomUUID();
}
