/** Child processes of tests: their lines are kept, and none outlives its test file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll } from '@jest/globals';

export interface Child {
  readonly pid: number;
  /** What it has printed so far, line by line. */
  readonly stdout: string[];
  readonly stderr: string[];
  /** Resolves when it has ended, with its exit code or the signal that ended it. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly running: () => boolean;
  /** Sends a signal and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

const children = new Set<ChildProcess>();

export interface ChildOptions {
  cwd?: string;
  env?: Record<string, string | undefined>;
  uid?: number;
  gid?: number;
}

/** Starts a program. The environment is that of the tests, changed by `env`; undefined takes a variable away. */
export function startChild(program: string, args: string[], { env = {}, ...options }: ChildOptions = {}): Child {
  const child = spawn(program, args, {
    ...options,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => {
      children.delete(child);
      done({ code, signal });
    });
  });
  // Whoever waits for the end hears of it; nobody has to.
  exited.catch(() => undefined);
  return {
    pid: child.pid ?? -1,
    stdout: linesOf(child.stdout),
    stderr: linesOf(child.stderr),
    exited,
    running: () => child.exitCode === null && child.signalCode === null,
    kill: (signal = 'SIGKILL') => {
      child.kill(signal);
      return exited;
    },
  };
}

const endings: (() => Promise<unknown>)[] = [];

/**
 * Has `end` called after the test file, while the processes it started still run: a client whose server is gone would
 * look for it for ever, instead of ending.
 */
export function afterTheFile(end: () => Promise<unknown>): void {
  endings.push(end);
}

afterAll(async () => {
  for (const end of endings.splice(0)) await end();
  for (const child of children) {
    child.kill('SIGKILL');
    // What it started itself may still hold its pipes.
    child.stdout?.destroy();
    child.stderr?.destroy();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
});

function linesOf(stream: NodeJS.ReadableStream | null): string[] {
  const lines: string[] = [];
  let rest = '';
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  stream?.on('end', () => rest !== '' && lines.push(rest));
  return lines;
}
