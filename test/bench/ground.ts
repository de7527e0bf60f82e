/** What the contestants stand on: one PostgreSQL server with a database for each, NATS, and a folder for files. */
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { homeOf } from '../../mixins/database/embedded/place.ts';
import { Nats, Postgres } from '../chaos/servers.ts';
import { ROOT } from '../support/process/project.ts';

/** Settings of the server that the figures depend on. */
const TELLING = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_sync_method',
  'shared_buffers',
  'max_wal_size',
  'max_connections',
  'jit',
];
/** A server on which one of these is off loses acknowledged orders: what it is fast at is something else. */
const DURABLE = ['fsync', 'synchronous_commit', 'full_page_writes'];
const TMPFS = 0x01021994;

export class Ground {
  /** Holds the embedded database and the logs of all processes. */
  readonly folder: string;
  readonly #serverUrl: string;
  /** The server that is ours to end. */
  readonly #server: Postgres | undefined;
  readonly #databases: string[] = [];
  readonly #endings: (() => Promise<unknown>)[] = [];
  #closed = false;

  private constructor(folder: string, serverUrl: string, server?: Postgres) {
    this.folder = folder;
    this.#serverUrl = serverUrl;
    this.#server = server;
  }

  /** Uses the server at `url`, or starts the embedded one with the settings it always has. */
  static async open(url: string | undefined, given: string | undefined): Promise<Ground> {
    // In memory nothing waits for a disk, and that is what much of an order's time is spent on.
    const parent = resolve(given ?? ((await isInMemory(tmpdir())) ? join(ROOT, '.data') : tmpdir()));
    await mkdir(parent, { recursive: true });
    const folder = await mkdtemp(join(parent, 'waybill-bench-'));
    // The database may run as another user, who needs access.
    await chmod(folder, 0o755);
    if (url !== undefined) return new Ground(folder, url);
    const postgres = await Postgres.start(join(folder, 'server'));
    return new Ground(folder, postgres.url, postgres);
  }

  /** Has `end` called at the end, those added last first. @throws when the end has begun: then nothing is started any more. */
  onClose(end: () => Promise<unknown>): void {
    if (this.#closed) {
      void end();
      throw new Error('the benchmark is ending');
    }
    this.#endings.push(end);
  }

  /** Makes an empty database and answers its address. */
  async createDatabase(label: string): Promise<string> {
    const name = `waybill_bench_${label}_${randomUUID().slice(0, 8)}`;
    await this.#onServer((client) => client.query(`CREATE DATABASE ${name}`));
    this.#databases.push(name);
    const url = new URL(this.#serverUrl);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** A connection of the benchmark's own, for looking at what the contestants wrote. */
  async connect(url: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url, application_name: 'bench' });
    client.on('error', () => undefined);
    await client.connect();
    this.onClose(() => client.end());
    return client;
  }

  /** Starts NATS with JetStream. @throws when `nats-server` is not installed. */
  async startNats(): Promise<string> {
    const nats = await Nats.start(join(this.folder, 'nats'));
    this.onClose(() => nats.kill());
    return nats.url;
  }

  /** The server's version and settings. */
  async settings(): Promise<Record<string, string>> {
    const { rows } = await this.#onServer((client) =>
      client.query<{ name: string; value: string }>(
        'SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY($1)',
        [TELLING],
      ),
    );
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  }

  /** Why this ground cannot carry figures of durable orders; empty when it can. */
  async weaknesses(): Promise<string[]> {
    const settings = await this.settings();
    const weak = DURABLE.filter((name) => settings[name] === 'off').map(
      (name) => `${name} is off on this server: a commit is not durable`,
    );
    if (this.#server && (await isInMemory(this.folder)))
      weak.push(`${this.folder} lies in memory: a commit costs nothing there. Give a folder on a disk by --folder`);
    return weak;
  }

  /** Writes down what the server has in memory, so that no round pays for the one before. */
  async checkpoint(): Promise<void> {
    // On a server that is not ours it may not be allowed; then the rounds share the cost by chance.
    await this.#onServer((client) => client.query('CHECKPOINT')).catch(() => undefined);
  }

  /** Ends all that was started, and removes all that was made. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#endings.toReversed()) await end().catch(() => undefined);
    for (const name of this.#databases)
      await this.#onServer((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)).catch(
        () => undefined,
      );
    await this.#server?.end().catch(() => undefined);
    for (const name of ['server', 'start']) await rm(homeOf(join(this.folder, name)), { recursive: true, force: true });
    await rm(this.folder, { recursive: true, force: true });
  }

  async #onServer<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.#serverUrl });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}

async function isInMemory(folder: string): Promise<boolean> {
  return process.platform === 'linux' && (await statfs(folder)).type === TMPFS;
}
