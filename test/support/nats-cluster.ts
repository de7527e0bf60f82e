/** A cluster of NATS servers for one test file, each of which can be killed. */
import { connect } from 'nats';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { type Nats, startNats } from './nats.ts';

export interface NatsCluster {
  /** By their names, `nats-1` to `nats-<size>`. */
  readonly servers: ReadonlyMap<string, Nats>;
  /** All addresses, as TRANSPORTER names them. */
  readonly url: string;
}

/** Starts the servers and waits until their JetStream has a leader. */
export async function startNatsCluster(size: number): Promise<NatsCluster> {
  const routes = await Promise.all(Array.from({ length: size }, freePort));
  const started = await Promise.all(
    routes.map(async (port, i): Promise<[string, Nats]> => {
      const others = routes.map((route) => `nats-route://127.0.0.1:${route}`).join(', ');
      const cluster = `cluster { name: waybill, listen: "127.0.0.1:${port}", routes: [${others}] }`;
      return [`nats-${i + 1}`, await startNats({ config: `server_name: nats-${i + 1}\n${cluster}` })];
    }),
  );
  const servers = new Map(started);
  const url = [...servers.values()].map((server) => server.url).join(',');
  await eventually(() => agrees(url, size), { withinMs: 30_000 });
  return { servers, url };
}

/** Fails until a stream with a copy on each server can be made. */
async function agrees(url: string, size: number): Promise<void> {
  const connection = await connect({ servers: url.split(','), timeout: 2_000 });
  try {
    const manager = await connection.jetstreamManager({ timeout: 2_000 });
    await manager.streams.add({ name: 'PROBE', subjects: ['probe'], num_replicas: size });
    await manager.streams.delete('PROBE');
  } finally {
    await connection.close();
  }
}
