/** Real Waybill processes for tests, started as `npm start` starts them. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from './child.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

/** The folder of the project. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Waybill extends Child {
  /** Base of the gateway, without `/api/v1`. Nobody listens there when the process has no gateway. */
  readonly url: string;
  readonly port: number;
  readonly nodeID: string;
  /** Stops it as an operator does, by SIGTERM, and waits for the end. */
  stop(): ReturnType<Child['kill']>;
}

export interface WaybillOptions {
  /** Settings, such as DATABASE_URL. Nothing of the tests' own environment is taken for a setting. */
  env?: Record<string, string | undefined>;
  /** Comma list for SERVICES; all of them when left out. */
  services?: string;
  /** Ready takes at most this long, the making of an embedded database included. */
  readyWithinMs?: number;
}

/** What a developer may have set for himself. */
const SETTINGS = [
  'SERVICES',
  'DATABASE_URL',
  'TRANSPORTER',
  'DATA_DIR',
  'NODEID',
  'HOST',
  'METRICS_PORT',
  'METRICS_HOST',
  'DEMO_CATALOG',
  'AUTH_JWT_SECRET',
  'AUTH_JWKS_URL',
  'AUTH_ISSUER',
  'AUTH_AUDIENCE',
  'MESH_SECRET',
  'NATS_TOKEN',
  'NATS_NKEY_SEED',
  'NATS_CREDENTIALS',
];
const COMMAND = [
  '--import',
  'tsx',
  'node_modules/moleculer/bin/moleculer-runner.mjs',
  '-c',
  'moleculer.config.ts',
  '--mask',
  '**/*.service.ts',
  'services',
];

/** Starts a process without waiting for anything. It is killed after the test file at the latest. */
export async function spawnWaybill({ env = {}, services }: WaybillOptions): Promise<Waybill> {
  const port = Number(env.PORT ?? (await freePort()));
  const nodeID = env.NODEID ?? `test-${randomUUID().slice(0, 8)}`;
  const child = startChild(process.execPath, COMMAND, {
    cwd: ROOT,
    env: {
      ...Object.fromEntries(SETTINGS.map((name) => [name, undefined])),
      NODE_OPTIONS: undefined,
      SERVICES: services,
      ...env,
      PORT: env.PORT ?? String(port),
      NODEID: nodeID,
    },
  });
  return { ...child, url: `http://127.0.0.1:${port}`, port, nodeID, stop: () => child.kill('SIGTERM') };
}

/** Starts a process and waits until it is ready: a gateway by its `/health/ready`, another by its log. */
export async function startWaybill(options: WaybillOptions): Promise<Waybill> {
  const waybill = await spawnWaybill(options);
  const hasGateway = options.services === undefined || options.services.split(',').includes('api');
  await eventually(
    async () => {
      if (!waybill.running()) return;
      const ready = hasGateway
        ? await isReady(waybill.url)
        : waybill.stdout.some((line) => line.includes('started successfully'));
      if (!ready) throw new Error(`not ready: ${waybill.stdout.slice(-20).join('\n')}\n${waybill.stderr.join('\n')}`);
    },
    { withinMs: options.readyWithinMs ?? 30_000 },
  );
  if (!waybill.running())
    throw new Error(`it ended: ${waybill.stderr.join('\n')}\n${waybill.stdout.slice(-20).join('\n')}`);
  return waybill;
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/health/ready`).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status === 200;
}
