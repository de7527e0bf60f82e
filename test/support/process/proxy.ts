/** A TCP proxy between one node and one server, on whose connections every trouble of a network can be put. */
import { createServer, connect, type Server, type Socket } from 'node:net';

/** What becomes of the answer to a commit. */
export type AfterCommit = { do: 'cut' } | { do: 'hold'; ms: number };

interface Armed {
  pattern: RegExp;
  after: AfterCommit;
  struck: () => void;
}

/** One connection through the proxy. Chunks of a direction keep their order whatever they are delayed by. */
class Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Silently drops everything. */
  dead = false;
  committed: Armed | undefined;
  readonly #free = { up: 0, down: 0 };

  constructor(client: Socket, server: Socket) {
    this.client = client;
    this.server = server;
  }

  send(direction: 'up' | 'down', chunk: Buffer, delayMs: number): void {
    const to = direction === 'up' ? this.server : this.client;
    const now = performance.now();
    const at = Math.max(this.#free[direction], now + delayMs);
    if (at <= now) {
      if (!to.destroyed) to.write(chunk);
      return;
    }
    this.#free[direction] = at;
    setTimeout(() => {
      if (!this.dead && !to.destroyed) to.write(chunk);
    }, at - now);
  }

  destroy(): void {
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
  }
}

export class Proxy {
  /** Milliseconds that every chunk takes in each direction. */
  delayMs = 0;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #target: () => number;
  #halfOpen = false;
  #armed: Armed | undefined;

  private constructor(server: Server, target: () => number) {
    this.#server = server;
    this.#target = target;
  }

  /** Listens on a free port of 127.0.0.1; `target` is asked for the server's present port at each connection. */
  static async listen(target: () => number): Promise<Proxy> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    const proxy = new Proxy(server, target);
    server.on('connection', (client) => proxy.#accept(client));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** How many connections could be hurt now. */
  get connections(): number {
    let count = 0;
    for (const link of this.#links) if (!link.dead && !link.server.connecting) count++;
    return count;
  }

  /** Breaks every connection. Returns how many there were. */
  cut(): number {
    const cut = this.connections;
    for (const link of this.#links) link.destroy();
    return cut;
  }

  /**
   * From now on nothing is forwarded, on connections that are there and on new ones, and both ends think they are
   * connected. Answers how many connections it struck.
   */
  falterOpen(): number {
    const struck = this.connections;
    this.#halfOpen = true;
    for (const link of this.#links) link.dead = true;
    return struck;
  }

  /** New connections work again. Those that were struck are reset, or stay silent for ever. */
  heal(those: 'reset' | 'silent'): void {
    this.#halfOpen = false;
    if (those === 'reset') for (const link of this.#links) if (link.dead) link.destroy();
  }

  /**
   * Lets the next commit through and does this to its answer, on whichever connection it comes; resolves true when it
   * has struck, false when none came in time.
   */
  afterNextCommit(pattern: RegExp, after: AfterCommit, withinMs: number): Promise<boolean> {
    return new Promise((done) => {
      const timer = setTimeout(() => {
        this.#armed = undefined;
        done(false);
      }, withinMs);
      this.#armed = {
        pattern,
        after,
        struck: () => {
          clearTimeout(timer);
          done(true);
        },
      };
    });
  }

  close(): void {
    this.#server.close();
    for (const link of this.#links) link.destroy();
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.#target(), host: '127.0.0.1', noDelay: true });
    const link = new Link(client, server);
    link.dead = this.#halfOpen;
    this.#links.add(link);
    // A server whose connection has faltered does not hear that the client has ended it, and never ends it itself.
    client.on('end', () => link.dead || client.end());
    client.on('data', (chunk: Buffer) => this.#up(link, chunk));
    server.on('data', (chunk: Buffer) => this.#down(link, chunk));
    for (const [end, other] of [
      [client, server],
      [server, client],
    ] as const) {
      end.on('error', () => undefined);
      end.on('close', () => {
        // The end of a silent connection is not heard of on the other side either.
        if (!link.dead) setTimeout(() => other.destroy(), this.delayMs);
        if (client.destroyed && server.destroyed) this.#links.delete(link);
      });
    }
  }

  #up(link: Link, chunk: Buffer): void {
    if (link.dead) return;
    const armed = this.#armed;
    if (armed?.pattern.test(chunk.toString('latin1'))) {
      this.#armed = undefined;
      link.committed = armed;
    }
    link.send('up', chunk, this.delayMs);
  }

  #down(link: Link, chunk: Buffer): void {
    if (link.dead) return;
    const { committed } = link;
    link.committed = undefined;
    if (committed?.after.do === 'cut') link.destroy();
    else link.send('down', chunk, this.delayMs + (committed?.after.do === 'hold' ? committed.after.ms : 0));
    committed?.struck();
  }
}
