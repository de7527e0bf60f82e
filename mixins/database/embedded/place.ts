/** The folder of an embedded database and the system user it runs as: PostgreSQL refuses to run as root. */
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { EmbeddedPostgresError, reachableBy, type SystemUser } from './binaries.ts';

/** The folder of an embedded database, and its user. */
export interface Place {
  /** Holds `cluster/` (PostgreSQL's own), `password`, `postgres.log`, `users/` and the lock. */
  home: string;
  cluster: string;
  /** The user PostgreSQL runs as; undefined is the user of this process. */
  user: SystemUser | undefined;
  /** The folder to which the programs may be copied. */
  spareFolder: string;
}

/** Reachable for every user, unlike /root and most home folders. Only root writes here. */
const SHARED_FOLDER = '/var/lib/waybill';
const NOBODY: SystemUser =
  process.platform === 'darwin' ? { uid: 4_294_967_294, gid: 4_294_967_294 } : { uid: 65_534, gid: 65_534 };

/** The folder that holds, or will hold, the database of `dataDir`. Changes nothing. */
export function homeOf(dataDir: string): string {
  const entry = join(resolve(dataDir), 'postgres');
  try {
    return realpathSync(entry);
  } catch {
    return entry;
  }
}

/**
 * Creates the place for the database of `dataDir`, or finds the existing one. Must run under a lock of the data folder.
 * Under root, the database belongs to the owner of the data folder, or to `nobody` if that is root too. If that user
 * cannot reach the data folder, the database lives in /var/lib/waybill and the data folder holds a link to it.
 * @throws EmbeddedPostgresError when the folder belongs to another user or cannot be reached
 */
export function makePlace(dataDir: string): Place {
  const folder = resolve(dataDir);
  const entry = join(folder, 'postgres');
  dropForeignLink(entry);
  if (process.getuid?.() !== 0) {
    mkdirSync(entry, { recursive: true, mode: 0o700 });
    const home = realpathSync(entry);
    const owner = statSync(home).uid;
    if (process.getuid && owner !== process.getuid()) {
      throw new EmbeddedPostgresError(
        `the database in ${folder} belongs to another user (uid ${owner}): start as that user or set another DATA_DIR`,
      );
    }
    return { home, cluster: join(home, 'cluster'), user: undefined, spareFolder: home };
  }
  const user = ownerOf(existsSync(entry) ? realpathSync(entry) : folder);
  if (!existsSync(entry)) {
    if (reachableBy(folder, user)) mkdirSync(entry, { mode: 0o700 });
    else symlinkSync(makeSharedHome(entry), entry);
  }
  const home = realpathSync(entry);
  chownSync(home, user.uid, user.gid);
  if (!reachableBy(home, user)) {
    throw new EmbeddedPostgresError(
      `the database in ${folder} cannot be reached by the user it runs as (uid ${user.uid}): make its parent folders accessible or set another DATA_DIR`,
    );
  }
  mkdirSync(SHARED_FOLDER, { recursive: true });
  chmodSync(SHARED_FOLDER, 0o755);
  return { home, cluster: join(home, 'cluster'), user, spareFolder: SHARED_FOLDER };
}

/** The database's password: generated once, readable only by its owner. */
export function passwordOf(place: Place): string {
  const file = join(place.home, 'password');
  if (!existsSync(file)) {
    writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx' });
    giveTo(file, place.user);
  }
  return readFileSync(file, 'utf8').trim();
}

/** Makes `user` the owner of a file or folder that this process created. */
export function giveTo(path: string, user: SystemUser | undefined): void {
  if (user) chownSync(path, user.uid, user.gid);
}

/** Creates the data folder if it does not exist. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  mkdirSync(folder, { recursive: true });
  // Root's umask may deny access to other users.
  if (process.getuid?.() === 0) chmodSync(folder, 0o755);
}

function ownerOf(path: string): SystemUser {
  const { uid, gid } = statSync(path);
  return uid === 0 ? NOBODY : { uid, gid };
}

/** Uses a new name each time: a data folder that was deleted and created again must not find its old data. */
function makeSharedHome(entry: string): string {
  mkdirSync(SHARED_FOLDER, { recursive: true });
  chmodSync(SHARED_FOLDER, 0o755);
  const hash = createHash('sha256').update(entry).digest('hex').slice(0, 12);
  const home = mkdtempSync(join(SHARED_FOLDER, `${hash}-`));
  writeFileSync(join(home, 'origin'), entry);
  return home;
}

/** Removes a link that was copied with the project: the copy must not share the original's database. */
function dropForeignLink(entry: string): void {
  if (!lstatSync(entry, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  const target = readlinkSync(entry);
  const note = join(target, 'origin');
  const origin = existsSync(note) ? readFileSync(note, 'utf8') : undefined;
  if (origin === undefined) {
    if (!existsSync(target)) rmSync(entry);
    return;
  }
  if (origin === entry) return;
  const kept = lstatSync(origin, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(origin) === target;
  if (kept) rmSync(entry);
  else writeFileSync(note, entry);
}
