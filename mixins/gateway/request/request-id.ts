/** The id of a request, which appears in its answer, in its log lines and in all calls it makes. */
import { randomUUID } from 'node:crypto';

const VISIBLE = /^[\x21-\x7e]{1,128}$/;

/** The caller's id if it consists of 1 to 128 visible ASCII characters, otherwise a new one. */
export function sanitizedId(header: string | string[] | undefined): string {
  return typeof header === 'string' && VISIBLE.test(header) ? header : randomUUID();
}
