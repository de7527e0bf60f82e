/** Programs that tests, chaos and the benchmark run: their lines are kept, and none outlives who started it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Program {
  readonly pid: number;
  /** The lines printed so far. */
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  /** Both, in the order in which they came. */
  readonly lines: readonly string[];
  /** Resolves when it has ended and all it printed was read. */
  readonly exited: Promise<Exit>;
  running(): boolean;
  /** Sends a signal. */
  signal(name: NodeJS.Signals): void;
  /** Sends a signal and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
  /** Ends it as an operator does, by SIGTERM, and by SIGKILL when that takes longer than 15 s. */
  stop(): Promise<Exit>;
}

export interface ProgramOptions {
  cwd?: string;
  /** Changes to the environment of whoever starts it; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  uid?: number;
  gid?: number;
  /** A file to which everything is appended as well; then only the last 200 lines are kept here. */
  logFile?: string;
  /** Told how to end it for good, whatever state it is in. Without it, it ends with the process that started it. */
  cleanUp?: (end: () => Promise<void>) => void;
}

const KEPT_BESIDE_A_LOG = 200;
const STOP_WITHIN_MS = 15_000;
const children = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts a program. */
export function startProgram(
  program: string,
  args: readonly string[],
  { env = {}, logFile, cleanUp, ...options }: ProgramOptions = {},
): Program {
  const child = spawn(program, args, {
    ...options,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  const lines: string[] = [];
  const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' });
  const read = (stream: NodeJS.ReadableStream): string[] => {
    const own: string[] = [];
    eachLine(stream, (line) => {
      log?.write(`${line}\n`);
      for (const kept of [own, lines]) {
        kept.push(line);
        if (log && kept.length > KEPT_BESIDE_A_LOG) kept.shift();
      }
    });
    return own;
  };
  const exited = new Promise<Exit>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => {
      children.delete(child);
      log?.end();
      done({ code, signal });
    });
  });
  // Whoever waits for the end hears of it; nobody has to.
  exited.catch(() => undefined);
  const kill = (signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> => {
    child.kill(signal);
    return exited;
  };
  cleanUp?.(async () => {
    child.kill('SIGKILL');
    // What it started itself may still hold its pipes.
    child.stdout.destroy();
    child.stderr.destroy();
    await exited.catch(() => undefined);
  });
  return {
    pid: child.pid ?? -1,
    stdout: read(child.stdout),
    stderr: read(child.stderr),
    lines,
    exited,
    running,
    signal: (name) => void child.kill(name),
    kill,
    async stop() {
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      try {
        return await kill('SIGTERM');
      } finally {
        clearTimeout(late);
      }
    },
  };
}

function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) take(part);
  });
  stream.on('end', () => {
    if (rest !== '') take(rest);
  });
}
