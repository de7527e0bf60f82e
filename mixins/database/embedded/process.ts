/** Identities of processes on this machine, and a lock between processes that is released when its holder dies. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;

/**
 * Identifies one run of a process by its pid and start time, so that a later process with the same pid is not mistaken
 * for it. Undefined when there is no such process, or only a zombie.
 */
export function processIdentity(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The second field, the command in parentheses, may itself contain spaces and parentheses.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${pid}-${fields[19]}`;
    }
    const began = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return began === '' ? undefined : `${pid}-${Date.parse(began)}`;
  } catch {
    return undefined;
  }
}

/** Whether the process with this identity still runs. */
export function isAlive(identity: string): boolean {
  const pid = Number.parseInt(identity, 10);
  return Number.isInteger(pid) && pid > 0 && processIdentity(pid) === identity;
}

/** This process's own identity. */
export function ownIdentity(): string {
  return processIdentity(process.pid) ?? `${process.pid}-0`;
}

/** The command line of a process, to check what a pid file claims; empty when it cannot be read. */
export function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

/**
 * Runs `work` while no other process or caller holds the lock of the same folder. The lock of a dead holder is taken over.
 * @throws Error when the lock is not free within `withinMs`
 */
export async function withFolderLock<T>(folder: string, work: () => Promise<T>, withinMs = 120_000): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, 'lock');
  const mine = `${ownIdentity()} ${randomUUID()}`;
  const deadline = Date.now() + withinMs;
  while (!tryLock(lock, mine)) {
    if (Date.now() > deadline) throw new Error(`${lock} has been held by another process for too long: end it`);
    await pause(POLL_MS);
  }
  try {
    return await work();
  } finally {
    if (read(lock) === mine) rmSync(lock, { force: true });
  }
}

/** Links a finished file, so that the lock appears together with its content and is never read half-written. */
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
    // Another process may have replaced the dead holder's lock in the meantime: then it is put back.
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
