/** The load generator as the benchmark sees it: one process, one job at a time. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Job, LoadResult } from './job.ts';

type Reply = { result: LoadResult } | { failure: string };

export class LoadGenerator {
  readonly #process: ChildProcess;

  constructor() {
    this.#process = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
  }

  /** Runs one job. @throws when the generator fails, or is ended meanwhile. */
  async run(job: Job): Promise<LoadResult> {
    const ended = new AbortController();
    const reply = once(this.#process, 'message', { signal: ended.signal }) as Promise<[Reply]>;
    const end = once(this.#process, 'exit', { signal: ended.signal }).then(() => {
      throw new Error('the load generator has ended');
    });
    end.catch(() => undefined);
    reply.catch(() => undefined);
    try {
      this.#process.send(job);
      const [message] = await Promise.race([reply, end]);
      if ('failure' in message) throw new Error(`the load generator failed: ${message.failure}`);
      return message.result;
    } finally {
      ended.abort();
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
}
