/** Child processes of the harness: their lines go to a file, and none outlives the harness. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Running {
  readonly pid: number;
  /** The last lines it has printed. */
  readonly lines: readonly string[];
  readonly exited: Promise<Exit>;
  alive(): boolean;
  signal(name: NodeJS.Signals): void;
}

export interface RunOptions {
  cwd?: string;
  /** Changes to the environment of the harness; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  /** What it prints is appended here. */
  logFile: string;
}

const KEPT_LINES = 200;
const children = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts a program. */
export function run(program: string, args: readonly string[], { cwd, env = {}, logFile }: RunOptions): Running {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  const lines: string[] = [];
  const log = createWriteStream(logFile, { flags: 'a' });
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      log.write(chunk);
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
      if (lines.length > KEPT_LINES) lines.splice(0, lines.length - KEPT_LINES);
    });
  }
  const exited = new Promise<Exit>((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => {
      children.delete(child);
      log.end();
      done({ code, signal });
    });
  });
  // Whoever waits for the end hears of it; nobody has to.
  exited.catch(() => undefined);
  return {
    pid: child.pid ?? -1,
    lines,
    exited,
    alive: () => child.exitCode === null && child.signalCode === null,
    signal: (name) => void child.kill(name),
  };
}
