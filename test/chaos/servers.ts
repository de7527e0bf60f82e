/** The servers of a round that are not Waybill's: PostgreSQL, one for each service that keeps data, and NATS. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readServerNote } from '../../mixins/database/embedded/cluster.ts';
import { homeOf } from '../../mixins/database/embedded/place.ts';
import { startEmbeddedPostgres } from '../../mixins/database/embedded/embedded-postgres.ts';
import { processIdentity } from '../../mixins/database/embedded/process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startNatsProcess } from '../support/process/nats-process.ts';
import type { Program } from '../support/process/program.ts';

const STOP_WITHIN_MS = 30_000;

/** Servers that run in sessions of their own: whatever ends the harness must end them too. */
const running = new Set<Postgres>();
process.on('exit', () => {
  for (const postgres of running) postgres.abandon();
});

/** An embedded PostgreSQL that can be stopped the ways an operator, or a crash, stops one. */
export class Postgres {
  readonly #folder: string;
  readonly #shares: { stop(): Promise<void> }[] = [];
  #url = '';

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(folder: string): Promise<Postgres> {
    await mkdir(folder, { mode: 0o755 });
    const postgres = new Postgres(folder);
    await postgres.start();
    return postgres;
  }

  /** The server's own address, past every proxy. Its port changes with every start. */
  get url(): string {
    return this.#url;
  }

  get port(): number {
    return Number(new URL(this.#url).port);
  }

  /** The address by which a node reaches it through the proxy on this port. */
  urlThrough(port: number): string {
    const url = new URL(this.#url);
    url.port = String(port);
    return url.href;
  }

  async start(): Promise<void> {
    const server = await startEmbeddedPostgres({ dataDir: this.#folder });
    this.#shares.push(server);
    this.#url = server.url;
    running.add(this);
  }

  /**
   * Stops the server: `fast` breaks off the sessions and writes everything down, `immediate` leaves as after a crash.
   * Resolves when the process has gone.
   */
  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    const note = readServerNote(join(homeOf(this.#folder), 'cluster'));
    const identity = note && processIdentity(note.pid);
    if (!note || !identity) throw new Error('PostgreSQL does not run');
    process.kill(note.pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await eventually(
      () => {
        if (processIdentity(note.pid) === identity) throw new Error('PostgreSQL does not stop');
      },
      { withinMs: STOP_WITHIN_MS },
    );
  }

  /** Stops it for good. */
  async end(): Promise<void> {
    for (const share of this.#shares) await share.stop();
    running.delete(this);
  }

  /** Ends it without waiting. */
  abandon(): void {
    const note = readServerNote(join(homeOf(this.#folder), 'cluster'));
    if (note && processIdentity(note.pid)) process.kill(note.pid, 'SIGQUIT');
  }
}

/** A NATS server with JetStream on one port. What JetStream stored outlives a crash of it. */
export class Nats {
  readonly port: number;
  readonly #folder: string;
  #process: Program | undefined;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
  }

  static async start(folder: string): Promise<Nats> {
    await mkdir(folder, { recursive: true });
    const nats = new Nats(await freePort(), folder);
    await nats.start();
    return nats;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const args = ['-js', '-sd', join(this.#folder, 'store')];
    this.#process = await startNatsProcess({ port: this.port, args, logFile: join(this.#folder, 'nats.log') });
  }

  /** Kills it, and returns how it ended. */
  async kill(): Promise<string> {
    return String((await (this.#process as Program).kill()).signal);
  }
}
