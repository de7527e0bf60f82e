/** One Waybill process of the mesh under a supervisor that starts it again, as Docker does with a container. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Exit } from '../support/process/program.ts';
import {
  becomesReady,
  hasStarted,
  spawnWaybillProcess,
  type WaybillProcess,
} from '../support/process/waybill-process.ts';
import type { Proxy } from '../support/process/proxy.ts';

const READY_WITHIN_MS = 120_000;

export type ServiceName = 'api' | 'orders' | 'inventory' | 'tracking';

export interface NodeOptions {
  name: string;
  service: ServiceName;
  /** The settings of the process besides its name: SERVICES, addresses, times. */
  env: Record<string, string>;
  /** The proxies it reaches its servers through. A gateway has no database. */
  links: { nats: Proxy; postgres?: Proxy };
  logFolder: string;
  /** A module that plants a fault into the code before it is loaded. */
  plant?: string | undefined;
}

/** A process that ended unexpectedly. */
export interface Fall {
  node: string;
  exit: Exit;
  lastLines: readonly string[];
}

export class WaybillNode {
  readonly name: string;
  readonly service: ServiceName;
  readonly links: NodeOptions['links'];
  /** Starts that were refused, for example because the database was away. A supervisor just tries again. */
  refusedStarts = 0;
  readonly falls: Fall[] = [];
  readonly #options: NodeOptions;
  #process: WaybillProcess | undefined;
  #ready = false;
  /** True while somebody of the harness ends the process on purpose. */
  #ending = false;
  #stopped = false;

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.service = options.service;
    this.links = options.links;
    this.#options = options;
  }

  get ready(): boolean {
    return this.#ready;
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  /** Starts the process, as often as it takes; resolves when it says that it has started. */
  async start(): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    this.#ending = false;
    while (!this.#stopped) {
      if (await this.#tryStart()) return;
      this.refusedStarts += 1;
      if (Date.now() > deadline)
        throw new Error(`${this.name} does not start: ${this.#process?.lines.slice(-5).join(' | ')}`);
      await pause(500);
    }
  }

  /** Ends the process by a signal; resolves with how it ended. */
  async end(signal: NodeJS.Signals): Promise<Exit> {
    this.#ending = true;
    this.#ready = false;
    return await (this.#process as WaybillProcess).kill(signal);
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.signal(name);
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#process?.running()) await this.end('SIGKILL');
  }

  async #tryStart(): Promise<boolean> {
    const { name, env, logFolder, plant } = this.#options;
    const child = await spawnWaybillProcess({
      nodeID: name,
      env,
      preload: plant === undefined ? [] : [plant],
      logFile: join(logFolder, `${name}.log`),
    });
    this.#process = child;
    try {
      await becomesReady(child, () => hasStarted(child), { withinMs: READY_WITHIN_MS });
    } catch {
      await child.kill();
      return false;
    }
    this.#ready = true;
    void child.exited.then((exit) => this.#fell(child, exit));
    return true;
  }

  #fell(child: WaybillProcess, exit: Exit): void {
    if (this.#ending || this.#stopped || this.#process !== child) return;
    this.#ready = false;
    this.falls.push({ node: this.name, exit, lastLines: child.lines.slice(-5) });
    this.start().catch(() => undefined);
  }
}
