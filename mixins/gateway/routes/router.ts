/** Finds the route of a request path in time that grows with the path's segments, not with the number of routes. */

/** What a path leads to: the routes by method, and the values of its parameters. */
export interface Match<Route> {
  methods: ReadonlyMap<string, Route>;
  params: Record<string, string>;
}

interface Node<Route> {
  fixed: Map<string, Node<Route>>;
  /** The child that takes any one segment. */
  any: Node<Route> | undefined;
  methods: Map<string, Route>;
  /** Names of the parameters on the way here, in order. */
  names: string[];
}

const emptyNode = <Route>(): Node<Route> => ({ fixed: new Map(), any: undefined, methods: new Map(), names: [] });

/** Routes such as `/orders/:id/history`. A fixed segment wins over a parameter. */
export class Router<Route> {
  readonly #root: Node<Route> = emptyNode();

  /** @throws Error when the same method and path are declared twice. */
  add(method: string, path: string, route: Route): void {
    let node = this.#root;
    const names: string[] = [];
    for (const segment of segmentsOf(path)) {
      if (segment.startsWith(':')) {
        names.push(segment.slice(1));
        node.any ??= emptyNode();
        node = node.any;
      } else {
        let next = node.fixed.get(segment);
        if (!next) node.fixed.set(segment, (next = emptyNode()));
        node = next;
      }
    }
    if (node.methods.has(method)) throw new Error(`${method} ${path} is declared twice`);
    node.methods.set(method, route);
    node.names = names;
  }

  /** The match for a path without its query, one slash at the end ignored; undefined when nothing is there. */
  find(path: string): Match<Route> | undefined {
    let segments = segmentsOf(path);
    if (path.includes('%')) {
      try {
        segments = segments.map(decodeURIComponent);
      } catch {
        return undefined;
      }
    }
    const values: string[] = [];
    const node = search(this.#root, segments, 0, values);
    if (!node) return undefined;
    const params: Record<string, string> = {};
    for (let i = 0; i < values.length; i++) params[node.names[i] as string] = values[i] as string;
    return { methods: node.methods, params };
  }
}

function segmentsOf(path: string): string[] {
  const end = path.length > 1 && path.endsWith('/') ? path.length - 1 : path.length;
  return path === '/' ? [] : path.slice(1, end).split('/');
}

function search<Route>(
  node: Node<Route>,
  segments: readonly string[],
  at: number,
  values: string[],
): Node<Route> | undefined {
  if (at === segments.length) return node.methods.size > 0 ? node : undefined;
  const segment = segments[at] as string;
  const fixed = node.fixed.get(segment);
  const found = fixed && search(fixed, segments, at + 1, values);
  if (found || !node.any || segment === '') return found;
  values.push(segment);
  const matched = search(node.any, segments, at + 1, values);
  if (!matched) values.pop();
  return matched;
}
