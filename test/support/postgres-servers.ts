/** PostgreSQL servers of one test file alone, which can be killed, promoted, and follow one another. */
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PostgresPrograms, postgresPrograms } from '../../mixins/database/embedded/binaries.ts';
import { addressOf, makeCluster } from '../../mixins/database/embedded/cluster.ts';
import { giveTo, makePlace, type Place, passwordOf } from '../../mixins/database/embedded/place.ts';
import { startChild } from './child.ts';
import { afterTheFile } from './endings.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { query } from './postgres.ts';
import type { Program } from './process/program.ts';
import { becomesReady } from './process/waybill-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Settings of a server, as in its configuration file. */
export type ServerSettings = Readonly<Record<string, string>>;

const SMALL: ServerSettings = {
  listen_addresses: '127.0.0.1,127.0.0.2',
  unix_socket_directories: '',
  shared_buffers: '16MB',
  io_method: 'sync',
};

/** One server on a folder of its own. */
export class PostgresServer {
  readonly port: number;
  readonly place: Place;
  readonly #programs: PostgresPrograms;
  readonly #settings: ServerSettings;
  #program: Program | undefined;

  private constructor(place: Place, programs: PostgresPrograms, port: number, settings: ServerSettings) {
    this.place = place;
    this.#programs = programs;
    this.port = port;
    this.#settings = settings;
  }

  /** Makes a server that does not run yet. */
  static async make(settings: ServerSettings = {}): Promise<PostgresServer> {
    const { place, programs } = await newPlace();
    await makeCluster(place, programs);
    return new PostgresServer(place, programs, await freePort(), settings);
  }

  /** A copy of one that does not run, which will follow it. */
  async standby(): Promise<PostgresServer> {
    const { place, programs } = await newPlace();
    await cp(this.place.cluster, place.cluster, { recursive: true });
    await cp(join(this.place.home, 'password'), join(place.home, 'password'));
    await writeFile(join(place.cluster, 'standby.signal'), '');
    await giveAll(place);
    const primary = new URL(this.url('postgres'));
    const info = `host=127.0.0.1 port=${this.port} user=${primary.username} password=${primary.password}`;
    return new PostgresServer(place, programs, await freePort(), {
      ...this.#settings,
      primary_conninfo: info,
      // Promoted, it takes commits alone.
      synchronous_standby_names: '',
    });
  }

  /** The address of one of its databases. */
  url(database = 'postgres'): string {
    return addressOf(this.port, passwordOf(this.place), database);
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    const settings = { ...SMALL, ...this.#settings, port: String(this.port) };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.#program = startChild(this.#programs.postgres, ['-D', this.place.cluster, ...options], {
      cwd: this.place.home,
      env: { LC_ALL: 'C' },
      ...this.place.user,
    });
    const answers = () =>
      query(this.url(), 'SELECT 1').then(
        () => true,
        () => false,
      );
    await becomesReady(this.#program, answers, { withinMs: 60_000 });
  }

  /** Kills it, as a crash of its machine would. */
  async crash(): Promise<void> {
    await this.#program?.kill('SIGKILL');
  }

  /** Makes a standby the primary; resolves when it takes writes. */
  async promote(): Promise<void> {
    await query(this.url(), 'SELECT pg_promote()');
  }
}

/** A primary, and a standby that has everything that was committed. The primary takes no commit without it. */
export async function startPair(): Promise<{ primary: PostgresServer; standby: PostgresServer }> {
  const primary = await PostgresServer.make({ synchronous_standby_names: '*', wal_level: 'replica' });
  const standby = await primary.standby();
  await Promise.all([primary.start(), standby.start()]);
  const following = `SELECT FROM pg_stat_replication WHERE sync_state = 'sync'`;
  await eventually(
    async () => {
      if ((await query(primary.url(), following)).length === 0) throw new Error('the standby does not follow yet');
    },
    { withinMs: 60_000 },
  );
  return { primary, standby };
}

async function newPlace(): Promise<{ place: Place; programs: PostgresPrograms }> {
  const folder = await temporaryFolder();
  const place = makePlace(folder);
  afterTheFile(() => rm(place.home, { recursive: true, force: true }));
  return { place, programs: postgresPrograms(place.user, place.spareFolder) };
}

/** Copies belong to the user who copied them. */
async function giveAll(place: Place): Promise<void> {
  if (!place.user) return;
  giveTo(place.cluster, place.user);
  for (const entry of await readdir(place.cluster, { recursive: true })) giveTo(join(place.cluster, entry), place.user);
}
