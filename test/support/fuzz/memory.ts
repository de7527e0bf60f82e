/** The memory in use after garbage collection, and whether it grows. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of the heap and of buffers that are still reachable. */
export function reachableBytes(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** By how much the last of these measurements are above those in the middle; the lowest of three count, as a moment may be busy. */
export function growthOf(bytes: readonly number[]): number {
  const middle = Math.floor(bytes.length / 2);
  return Math.min(...bytes.slice(-3)) - Math.min(...bytes.slice(middle - 2, middle + 1));
}
