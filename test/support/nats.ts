/** A NATS server with JetStream for one test file. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { type Child, startChild } from './child.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface Nats {
  readonly url: string;
  /** Ends it at once, like a crash. What JetStream stored stays. */
  kill(): Promise<void>;
  /** Starts it again at the same address on the same store. */
  restart(): Promise<void>;
  /** Has `end` called before it ends for good: for clients that would look for it for ever. */
  beforeStop(end: () => Promise<unknown>): void;
  /** Ends it and removes its store. Done by itself after the test file. */
  stop(): Promise<void>;
}

const servers: Nats[] = [];
afterAll(async () => {
  for (const server of servers) await server.stop();
});

/** Starts `nats-server` from the PATH (Debian puts it in /usr/sbin) on a free port. */
export async function startNats(): Promise<Nats> {
  const folder = await temporaryFolder();
  const port = await freePort();
  let child: Child | undefined;
  const start = async (): Promise<void> => {
    child = startChild(program(), ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder]);
    await eventually(() => accepts(port), { withinMs: 15_000 });
  };
  const kill = async (): Promise<void> => {
    await child?.kill('SIGKILL');
  };
  await start();
  const clients: (() => Promise<unknown>)[] = [];
  const nats: Nats = {
    url: `nats://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      await kill();
      await start();
    },
    beforeStop: (end) => void clients.push(end),
    stop: async () => {
      for (const end of clients.splice(0)) await end();
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
  servers.push(nats);
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
