/** Finds the aliases of a path, in time that grows with the path and not with the number of aliases. */
import FindMyWay from 'find-my-way';
import { MAX_HEADER_BYTES } from '../server/http-server.ts';

/** What tells an alias from others. */
interface Address {
  method: string;
  fullPath: string;
}

/** What a path leads to: the aliases by method, and the values of its parameters. */
export interface Match<Alias> {
  methods: ReadonlyMap<string, Alias>;
  params: Record<string, string>;
}

/** A fixed name, or a parameter. Patterns and wildcards, which find-my-way knows as well, take time or too much. */
const SEGMENT = /^(?::\w+|[\w.~-]+)$/;
/** All methods of a path share one entry, so that a fixed segment wins over a parameter whatever the method is. */
const ANY_METHOD = 'GET';

/** A `find-my-way` router over the aliases of a gateway. Paths are case-sensitive. */
export class AliasRouter<Alias extends Address> {
  readonly #router = FindMyWay({ maxParamLength: MAX_HEADER_BYTES });

  /** @throws Error when a path is declared twice for a method, or with two names for one parameter, or with a pattern */
  constructor(aliases: readonly Alias[]) {
    const paths = new Map<string, Map<string, Alias>>();
    for (const alias of aliases) {
      const { method, fullPath } = alias;
      const segments = fullPath.split('/').filter(Boolean);
      if (!segments.every((segment) => SEGMENT.test(segment))) throw new Error(`${fullPath} is no path of names`);
      const methods = paths.get(fullPath) ?? new Map<string, Alias>();
      if (methods.has(method)) throw new Error(`${method} ${fullPath} is declared twice`);
      paths.set(fullPath, methods.set(method, alias));
    }
    for (const [path, methods] of paths) this.#router.on(ANY_METHOD, path, () => undefined, methods);
  }

  /** The match for a path without its query; undefined when nothing is there, or when it cannot be decoded. */
  find(path: string): Match<Alias> | undefined {
    // find-my-way would leave out what follows a number sign, and take what is no path for the root.
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
