/** Loaded into a process before its program: on SIGUSR2 it writes one line about the inside, for whoever watches it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const prototypes = [Object, Array, Function, String, Number].map(({ prototype }) => ({
  prototype,
  names: Reflect.ownKeys(prototype),
}));

process.on('SIGUSR2', () => {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const added = prototypes.flatMap(({ prototype, names }) =>
    Reflect.ownKeys(prototype).filter((name) => !names.includes(name)),
  );
  console.error(`PROBE ${JSON.stringify({ reachableBytes: heapUsed + external, added: added.map(String) })}`);
});
