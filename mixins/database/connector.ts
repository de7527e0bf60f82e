/** Opens the connections of a service: to its only host, or to the first suitable one of several. */
import { setTimeout as pause } from 'node:timers/promises';
import { type DatabaseAddress, type Host, hostText } from './address.ts';
import { CONNECT_TIMEOUT_MS, Connection, ReadOnlyServer } from './connection.ts';
import { tlsOptions } from './tls.ts';

/** How long a host is tried before the next one, unless it fails sooner. */
const HEAD_START_MS = 100;
const NEVER = new Promise<never>(() => undefined);

/** Why one host could not be connected to. */
export interface HostFailure {
  readonly server: string;
  readonly error: unknown;
}

/** No host could be connected to. */
export class ConnectFailure extends Error {
  readonly failures: readonly HostFailure[];

  constructor(failures: readonly HostFailure[]) {
    super(`no connection to ${failures.map(({ server }) => server).join(' or ')}`);
    this.failures = failures;
  }
}

/** The hosts did not answer in time. */
class Silence extends Error {
  readonly code = 'ETIMEDOUT';
}

/** Connects to the hosts of one address. */
export class Connector {
  readonly #address: DatabaseAddress;
  readonly #applicationName: string;
  #lastGood: Host | undefined;

  constructor(address: DatabaseAddress, applicationName: string) {
    this.#address = address;
    this.#applicationName = applicationName;
  }

  /**
   * Opens a connection and sets up its session. Several hosts are tried in parallel, the last successful one first; the
   * other attempts end as soon as a suitable one succeeds.
   * @throws ConnectFailure when none succeeds in time
   */
  async connect(): Promise<Connection> {
    const hosts = this.#address.hosts.toSorted((a, b) => Number(b === this.#lastGood) - Number(a === this.#lastGood));
    const race = new Race();
    const reasons = new Map<Host, unknown>();
    try {
      let goAhead: Promise<unknown> = Promise.resolve();
      const attempts = hosts.map((host) => {
        const attempt = goAhead.then(() => this.#open(host, race));
        const failed = attempt.then(
          () => NEVER,
          (error: unknown) => void reasons.set(host, error),
        );
        goAhead = Promise.race([goAhead.then(() => pause(HEAD_START_MS, undefined, { ref: false })), failed]);
        return attempt;
      });
      const { connection, host } = await Promise.race([Promise.any(attempts), race.over]);
      this.#lastGood = host;
      race.end(connection);
      return connection;
    } catch (error) {
      race.end();
      throw new ConnectFailure(
        hosts.map((host) => ({ server: hostText(host), error: reasons.has(host) ? reasons.get(host) : error })),
      );
    }
  }

  async #open(host: Host, race: Race): Promise<{ connection: Connection; host: Host }> {
    const ssl = await tlsOptions(this.#address.tls);
    const { mode } = this.#address.tls;
    try {
      return { connection: await this.#session(host, ssl, race), host };
    } catch (error) {
      if (mode !== 'prefer' || !isAboutTls(error)) throw error;
      return { connection: await this.#session(host, false, race), host };
    }
  }

  async #session(host: Host, ssl: Awaited<ReturnType<typeof tlsOptions>>, race: Race): Promise<Connection> {
    const { user, password, database, others, writable } = this.#address;
    const connection = new Connection(hostText(host), {
      application_name: this.#applicationName,
      ...others,
      host: host.name,
      port: host.port,
      user,
      password,
      database,
      ssl,
    });
    race.enter(connection);
    try {
      await connection.connect();
      const { readOnly } = await connection.prepareSession();
      if (writable && readOnly) throw new ReadOnlyServer();
      return connection;
    } catch (error) {
      connection.breakOff();
      throw error;
    }
  }
}

/** Connection attempts that run in parallel, of which at most one is kept. */
class Race {
  /** Rejects when the attempts have taken too long. */
  readonly over: Promise<never>;
  readonly #running = new Set<Connection>();
  readonly #timer: NodeJS.Timeout;
  #ended = false;

  constructor() {
    let fail: (error: Error) => void;
    this.over = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    this.over.catch(() => undefined);
    this.#timer = setTimeout(() => fail(new Silence('no answer in time')), CONNECT_TIMEOUT_MS);
  }

  /** Adds an attempt. @throws Silence after the race has ended */
  enter(connection: Connection): void {
    if (this.#ended) throw new Silence('no answer in time');
    this.#running.add(connection);
  }

  /** Closes all connections but the one that is kept. */
  end(kept?: Connection): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    for (const connection of this.#running) if (connection !== kept) connection.breakOff();
  }
}

/** The driver's errors for a server without TLS have no code; 28000 comes from a server that refuses logins over TLS. */
function isAboutTls(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === undefined || code === '28000' || code === 'EPROTO';
}
