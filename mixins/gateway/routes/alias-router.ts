/** Finds the aliases of a path, in a time that depends on the length of the path, not on the number of aliases. */
import FindMyWay from 'find-my-way';
import { MAX_HEADER_BYTES } from '../server/http-server.ts';

/** What identifies an alias. */
interface Address {
  method: string;
  fullPath: string;
}

/** The match of a path: its aliases by method, and the values of its parameters. */
export interface Match<Alias> {
  methods: ReadonlyMap<string, Alias>;
  params: Record<string, string>;
}

/** A fixed name or a parameter. find-my-way also has patterns and wildcards, but they are slow or match too much. */
const SEGMENT = /^(?::\w+|[\w.~-]+)$/;
/** All methods of a path share one entry, so that a fixed segment takes precedence over a parameter for every method. */
const ANY_METHOD = 'GET';

/** A `find-my-way` router over the aliases of a gateway. Paths are case-sensitive. */
export class AliasRouter<Alias extends Address> {
  readonly #router = FindMyWay({ maxParamLength: MAX_HEADER_BYTES });

  /** @throws Error when a path is declared twice for a method, with two names for one parameter, or with a pattern */
  constructor(aliases: readonly Alias[]) {
    const paths = new Map<string, Map<string, Alias>>();
    for (const alias of aliases) {
      const { method, fullPath } = alias;
      const segments = fullPath.split('/').filter(Boolean);
      if (!segments.every((segment) => SEGMENT.test(segment))) throw new Error(`${fullPath} contains a pattern`);
      const methods = paths.get(fullPath) ?? new Map<string, Alias>();
      if (methods.has(method)) throw new Error(`${method} ${fullPath} is declared twice`);
      paths.set(fullPath, methods.set(method, alias));
    }
    for (const [path, methods] of paths) this.#router.on(ANY_METHOD, path, () => undefined, methods);
  }

  /** The match for a path without query; undefined when there is none, or when the path cannot be decoded. */
  find(path: string): Match<Alias> | undefined {
    // find-my-way would ignore what follows a `#`, and match anything without a leading slash to the root.
    if (!path.startsWith('/') || path.includes('#')) return undefined;
    const found = this.#router.find(ANY_METHOD, path);
    if (!found) return undefined;
    const params: Record<string, string> = {};
    for (const name in found.params) {
      const value = found.params[name];
      if (value === undefined || value === '') return undefined;
      params[name] = value;
    }
    return { methods: found.store as Match<Alias>['methods'], params };
  }
}
