/** Small amounts of random bytes, served from a pool that is filled by one large system call. */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 8_192;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** `count` random bytes (at most 8,192), never returned twice. */
export function randomBytes(count: number): Uint8Array {
  if (used + count > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.slice(used, (used += count));
}
