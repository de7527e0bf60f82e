/** Real Waybill processes for tests, started as `npm start` starts them. */
import { randomUUID } from 'node:crypto';
import { afterTheFile } from './endings.ts';
import {
  becomesReady,
  hasStarted,
  isReady,
  spawnWaybillProcess,
  type WaybillProcess,
} from './process/waybill-process.ts';

export type Waybill = WaybillProcess;

export interface WaybillOptions {
  /** Settings, such as DATABASE_URL. Nothing of the tests' own environment is taken for a setting. */
  env?: Record<string, string | undefined>;
  /** Comma list for SERVICES; all of them when left out. */
  services?: string | undefined;
  /** Files of modules that are loaded before the program. */
  preload?: readonly string[];
  /** Ready takes at most this long, the making of an embedded database included. */
  readyWithinMs?: number;
}

/** Starts a process without waiting for anything. It is killed after the test file at the latest. */
export function spawnWaybill({ env = {}, services, preload = [] }: WaybillOptions): Promise<Waybill> {
  return spawnWaybillProcess({
    nodeID: env.NODEID ?? `test-${randomUUID().slice(0, 8)}`,
    env: { SERVICES: services, ...env },
    preload,
    cleanUp: afterTheFile,
  });
}

/** Starts a process and waits until it is ready: a gateway by its `/health/ready`, another by its log. */
export async function startWaybill(options: WaybillOptions): Promise<Waybill> {
  const waybill = await spawnWaybill(options);
  const hasGateway = options.services === undefined || options.services.split(',').includes('api');
  const isUp = () => (hasGateway ? isReady(waybill.url) : hasStarted(waybill));
  await becomesReady(waybill, isUp, { withinMs: options.readyWithinMs ?? 30_000 });
  return waybill;
}
