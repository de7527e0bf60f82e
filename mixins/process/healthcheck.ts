/**
 * The container's health check, a program of its own: exits 0 when the node of this container is well. A gateway is
 * asked over HTTP; any other node must answer over NATS and reach its databases.
 */
import { randomUUID } from 'node:crypto';
import { connect } from 'nats';
import { natsOptions } from '../mesh/nats/nats-options.ts';
import { readSettings, type Settings } from '../settings/settings.ts';
import { NAMESPACE, nodeName } from '../mesh/broker-options.ts';
import { checkDatabases } from './preflight.ts';

const TIMEOUT_MS = 4_000;
/** The process of the container. */
const CONTAINER_PID = 1;

async function checkGateway({ http: { host, port } }: Settings): Promise<void> {
  const name = host.includes(':') ? `[${host}]` : host;
  const answer = await fetch(`http://${name}:${port}/health/ready`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Speaks Moleculer's own ping: a node that answers is connected and its event loop turns. */
async function checkNode(settings: Settings): Promise<void> {
  await checkDatabases(settings);
  if (settings.mesh === undefined) return;
  const nats = await connect({ ...natsOptions(settings.mesh, 'waybill health'), reconnect: false });
  try {
    const sender = `health-${randomUUID()}`;
    const answers = nats.subscribe(`MOL-${NAMESPACE}.PONG.${sender}`, { max: 1, timeout: TIMEOUT_MS });
    const ping = { ver: '5', sender, id: randomUUID(), time: Date.now() };
    nats.publish(`MOL-${NAMESPACE}.PING.${nodeName(settings, CONTAINER_PID)}`, JSON.stringify(ping));
    // Throws when no answer comes in time.
    await answers[Symbol.asyncIterator]().next();
  } finally {
    await nats.close();
  }
}

try {
  const settings = readSettings();
  await (settings.services.includes('api') ? checkGateway(settings) : checkNode(settings));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
