/** Recovery: takes up owed work whose time has come, also that of nodes that died, at a bounded rate. */
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

export interface RecoveryPorts<Claimed> {
  /** Leases up to `limit` due rows to this node, oldest first, skipping those another node is just claiming. */
  claim(limit: number): Promise<readonly Claimed[]>;
  /** Goes on with a claimed row. Resolves when it is at rest or waits for its next attempt. */
  resume(claimed: Claimed): Promise<void>;
  /** Told when claiming fails and when it works again. */
  onFailure(error: unknown): void;
}

export interface RecoveryPolicy {
  /** Rows taken up a second at most. */
  ratePerSecond: number;
  /** Rows under way at a time at most. */
  maxConcurrent: number;
  tickMs: number;
}

/** Looks for due work at every tick until it is stopped. */
export class Recovery<Claimed> {
  readonly #ports: RecoveryPorts<Claimed>;
  readonly #policy: RecoveryPolicy;
  readonly #running = new Set<Promise<void>>();
  readonly #clock: Pick<Clock, 'after' | 'random'>;
  #callOff: () => void = () => undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(
    ports: RecoveryPorts<Claimed>,
    policy: RecoveryPolicy,
    clock: Pick<Clock, 'after' | 'random'> = SYSTEM_CLOCK,
  ) {
    this.#ports = ports;
    this.#policy = policy;
    this.#clock = clock;
  }

  start(): void {
    this.#schedule();
  }

  /** Claims nothing more, and resolves when what was claimed is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff();
    await this.#looking;
    await Promise.all(this.#running);
  }

  #schedule(): void {
    if (this.#stopped) return;
    // Jitter keeps the nodes of a mesh from asking in step.
    this.#callOff = this.#clock.after(this.#policy.tickMs * (0.75 + this.#clock.random() / 2), () => {
      this.#looking = this.#look().finally(() => this.#schedule());
    });
  }

  async #look(): Promise<void> {
    const { ratePerSecond, maxConcurrent, tickMs } = this.#policy;
    const limit = Math.min(Math.ceil((ratePerSecond * tickMs) / 1_000), maxConcurrent - this.#running.size);
    if (limit <= 0) return;
    try {
      for (const claimed of await this.#ports.claim(limit)) {
        const run = this.#ports.resume(claimed).catch((error: unknown) => this.#ports.onFailure(error));
        this.#running.add(run);
        void run.finally(() => this.#running.delete(run));
      }
    } catch (error) {
      this.#ports.onFailure(error);
    }
  }
}
