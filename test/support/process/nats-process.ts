/** How a NATS server with JetStream is started: `nats-server` of the PATH, which Debian puts where PATH seldom leads. */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { eventually } from '../eventually.ts';
import { type Program, type ProgramOptions, startProgram } from './program.ts';

export interface NatsStart extends Pick<ProgramOptions, 'env' | 'logFile' | 'cleanUp'> {
  port: number;
  /** Arguments beside its address and port. */
  args: readonly string[];
}

/** Starts a server on loopback and waits until it takes connections. @throws Error when it is not installed */
export async function startNatsProcess({ port, args, ...options }: NatsStart): Promise<Program> {
  const server = startProgram(natsProgram(), ['-a', '127.0.0.1', '-p', String(port), ...args], options);
  await eventually(() => accepts(port), { withinMs: 15_000 });
  return server;
}

function natsProgram(): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
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
