/** A NATS server with JetStream for one test file. */
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { MeshSettings } from '../../mixins/mesh/mesh.settings.ts';
import { readSettings } from '../../services/settings.ts';
import { afterTheFile, type Child, startChild } from './child.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface Nats {
  readonly url: string;
  /** What it has logged since it was started last. */
  log(): string;
  /** Ends it at once, like a crash. What JetStream stored stays. */
  kill(): Promise<void>;
  /** Starts it again at the same address on the same store, with another configuration if one is given. */
  restart(config?: string): Promise<void>;
  /** Has `end` called before it ends for good: for clients that would look for it for ever. */
  beforeStop(end: () => Promise<unknown>): void;
  /** Ends it and removes its store. Done by itself after the test file. */
  stop(): Promise<void>;
}

export interface NatsOptions {
  /** The text of a configuration file, as an operator writes one. Address, port and store are given beside it. */
  config?: string;
  /** Variables that the configuration refers to. */
  env?: Record<string, string>;
}

/** The settings of a mesh that meets at this address. */
export function meshAt(url: string, settings: Record<string, string> = {}): MeshSettings {
  return readSettings({ TRANSPORTER: url, ...settings }).mesh as MeshSettings;
}

/** Starts `nats-server` from the PATH (Debian puts it in /usr/sbin) on a free port. */
export async function startNats({ config = '', env = {} }: NatsOptions = {}): Promise<Nats> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const configuration = join(folder, 'nats-server.conf');
  await writeFile(configuration, config);
  let child: Child | undefined;
  const start = async (): Promise<void> => {
    const args = ['-c', configuration, '-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder];
    child = startChild(program(), args, { env });
    await eventually(() => accepts(port), { withinMs: 15_000 });
  };
  const kill = async (): Promise<void> => {
    await child?.kill('SIGKILL');
  };
  await start();
  const clients: (() => Promise<unknown>)[] = [];
  const nats: Nats = {
    url: `nats://127.0.0.1:${port}`,
    log: () => [...(child?.stdout ?? []), ...(child?.stderr ?? [])].join('\n'),
    kill,
    restart: async (changed = config) => {
      await kill();
      await writeFile(configuration, changed);
      await start();
    },
    beforeStop: (end) => void clients.push(end),
    stop: async () => {
      for (const end of clients.splice(0)) await end();
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
  afterTheFile(() => nats.stop());
  return nats;
}

function program(): string {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  const found = folders.map((folder) => join(folder, 'nats-server')).find((path) => existsSync(path));
  if (!found) throw new Error('nats-server is not in the PATH: install it (Debian: apt-get install nats-server)');
  return found;
}

function accepts(port: number): Promise<void> {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.destroy();
      done();
    });
  });
}
