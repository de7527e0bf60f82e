/** Random bytes in small pieces, drawn from the system in large ones. */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 8_192;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** `count` (at most 8,192) random bytes that are handed out once. */
export function randomBytes(count: number): Uint8Array {
  if (used + count > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.slice(used, (used += count));
}
