/** Recovery: claims due work, including that of dead nodes, at a bounded rate. */
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

export interface RecoveryPorts<Claimed> {
  /** Leases up to `limit` due rows to this node, oldest first, skipping rows that another node is claiming. */
  claim(limit: number): Promise<readonly Claimed[]>;
  /** Resumes a claimed row. Resolves when it is at rest or waits for its next attempt. */
  resume(claimed: Claimed): Promise<void>;
  /** Called when claiming or resuming fails. */
  onFailure(error: unknown): void;
}

export interface RecoveryPolicy {
  /** The maximum number of rows claimed per second. */
  ratePerSecond: number;
  /** The maximum number of rows in progress at once. */
  maxConcurrent: number;
  tickMs: number;
}

/** Polls for due work at every tick until stopped. */
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

  /** Stops claiming, and resolves when all claimed work is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff();
    await this.#looking;
    await Promise.all(this.#running);
  }

  #schedule(): void {
    if (this.#stopped) return;
    // Jitter keeps the nodes of a mesh from polling in lockstep.
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
