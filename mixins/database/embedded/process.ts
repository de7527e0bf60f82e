/** Who is alive on this machine, and a lock between processes that survives the sudden death of its holder. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;

/**
 * A name for one run of one process: its pid and when it began, so that another process that was later given the same
 * pid is not taken for it. Undefined when there is no such process, or only its zombie.
 */
export function processIdentity(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The second field, the command in parentheses, may itself hold spaces and parentheses.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${pid}-${fields[19]}`;
    }
    const began = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return began === '' ? undefined : `${pid}-${Date.parse(began)}`;
  } catch {
    return undefined;
  }
}

/** Whether the process run with this identity is still there. */
export function isAlive(identity: string): boolean {
  const pid = Number.parseInt(identity, 10);
  return Number.isInteger(pid) && pid > 0 && processIdentity(pid) === identity;
}

/** This process's own identity. */
export function ownIdentity(): string {
  return processIdentity(process.pid) ?? `${process.pid}-0`;
}

/** The command line of a process, to tell whether it is what a pid file says it is; empty when it cannot be seen. */
export function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

/**
 * Runs `work` while no other process (or caller in this process) runs under the lock of the same folder. The lock of
 * a dead holder is taken over.
 * @throws when the lock is not free within `withinMs`.
 */
export async function withFolderLock<T>(folder: string, work: () => Promise<T>, withinMs = 120_000): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, 'lock');
  const mine = `${ownIdentity()} ${randomUUID()}`;
  const deadline = Date.now() + withinMs;
  while (!tryLock(lock, mine)) {
    if (Date.now() > deadline) throw new Error(`${lock} is held by another process that does not finish`);
    await pause(POLL_MS);
  }
  try {
    return await work();
  } finally {
    if (read(lock) === mine) rmSync(lock, { force: true });
  }
}

/** Linking a finished file makes the lock appear together with its content, so a reader never sees half of it. */
function tryLock(lock: string, mine: string): boolean {
  const draft = `${lock}.${randomUUID()}`;
  writeFileSync(draft, mine);
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    removeStale(lock);
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function removeStale(lock: string): void {
  const holder = read(lock);
  if (holder === undefined || isAlive(holder.split(' ')[0] ?? '')) return;
  const aside = `${lock}.${randomUUID()}`;
  try {
    renameSync(lock, aside);
    // Someone else may have replaced the dead holder's lock in between: then it is given back.
    if (read(aside) !== holder) linkSync(aside, lock);
  } catch {
    // Another process removed it first.
  }
  rmSync(aside, { force: true });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
