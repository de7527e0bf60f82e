/** How a Waybill process is started, seen to be ready, and ended: for tests, chaos and the benchmark alike. */
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { readSettings } from '../../../services/settings.ts';
import { freePort } from '../free-port.ts';
import { type Program, type ProgramOptions, startProgram } from './program.ts';
import { ROOT, startCommand } from './project.ts';

export interface WaybillProcess extends Program {
  readonly nodeID: string;
  readonly port: number;
  /** Base URL of the gateway, without `/api/v1`. Not served when the process has no gateway. */
  readonly url: string;
}

export interface WaybillStart extends Pick<ProgramOptions, 'logFile' | 'cleanUp'> {
  nodeID: string;
  /** Settings, such as DATABASE_URL. Settings in the parent's environment are ignored. */
  env: Record<string, string | undefined>;
  /** Files of modules that are loaded before the program. */
  preload?: readonly string[];
}

/** Removes everything that Node.js or the program would read from the parent's environment. */
export function nothingInherited(): Record<string, undefined> {
  const read = ['NODE_OPTIONS'];
  readSettings(new Proxy({}, { get: (_environment, name) => void read.push(String(name)) }));
  return Object.fromEntries(read.map((name) => [name, undefined]));
}

/** Starts a process by the command of `npm start`, on the port given by `env` or a free one, and waits for nothing. */
export async function spawnWaybillProcess(start: WaybillStart): Promise<WaybillProcess> {
  const { nodeID, env, preload = [], ...options } = start;
  const port = env.PORT ?? String(await freePort());
  const { flags, program } = startCommand();
  const preloaded = preload.flatMap((file) => ['--import', pathToFileURL(file).href]);
  const started = startProgram(process.execPath, [...flags, ...preloaded, ...program], {
    ...options,
    cwd: ROOT,
    env: { ...nothingInherited(), ...env, PORT: port, NODEID: nodeID },
  });
  return { ...started, nodeID, port: Number(port), url: `http://127.0.0.1:${port}` };
}

/** Whether the process has said that its services have started. Those it calls may still be away. */
export function hasStarted({ lines }: Pick<Program, 'lines'>): boolean {
  return lines.some((line) => line.includes('started successfully'));
}

/** Whether a gateway says that it can serve. */
export async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/ready`);
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

/**
 * Waits until a process is up, looking every `everyMs`.
 * @throws Error with its last lines when it ends before, or is not up within `withinMs`
 */
export async function becomesReady(
  program: Program,
  isUp: () => boolean | Promise<boolean>,
  { withinMs, everyMs = 25 }: { withinMs: number; everyMs?: number },
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isUp())) {
    const over = !program.running();
    if (over) await program.exited;
    if (over || performance.now() > deadline)
      throw new Error(`it ${over ? 'ended' : 'is not ready'}: ${program.lines.slice(-20).join('\n')}`);
    await pause(everyMs);
  }
}
