/** The embedded PostgreSQL: one server a data folder, shared by every process that asks, ended by the last to leave. */
import { mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { postgresPrograms } from './binaries.ts';
import { addressOf, ensureServer, makeCluster, stopServer } from './cluster.ts';
import { giveTo, makeFolder, makePlace, type Place, passwordOf } from './place.ts';
import { isAlive, ownIdentity, withFolderLock } from './process.ts';

/** How long leaving waits for the server's end; it ends by itself when it needs longer. */
const STOP_TIMEOUT_MS = 10_000;

/** A share in a running server. */
export interface EmbeddedPostgres {
  /** Address of the database `waybill`, password included: never to be printed. */
  readonly url: string;
  /** Gives the share back; the last one to do so ends the server. Waits at most `withinMs`. Safe to call twice. */
  stop(withinMs?: number): Promise<void>;
}

let shares = 0;

/**
 * Starts the server of a data folder, or joins the one that runs: started by another process, or left over by one
 * that was killed. Listens on 127.0.0.1 at a free port, with a password of its own.
 * @throws EmbeddedPostgresError when it cannot run here, with the reason in one line.
 */
export async function startEmbeddedPostgres(given: { dataDir: string }): Promise<EmbeddedPostgres> {
  const { place, user, port } = await underLock(given.dataDir, async (found) => {
    const programs = postgresPrograms(found.user, found.spareFolder);
    await makeCluster(found, programs);
    const serverPort = await ensureServer(found, programs);
    return { place: found, user: enter(found), port: serverPort };
  });
  let leaving: Promise<void> | undefined;
  return {
    url: addressOf(port, passwordOf(place)),
    stop: (withinMs = STOP_TIMEOUT_MS) => (leaving ??= leave(place, user, withinMs)),
  };
}

/**
 * Two locks: the data folder's while the place is looked up (it may move), then the place's own, which is the one
 * folder that two data folders linked to it have in common.
 */
async function underLock<T>(dataDir: string, work: (place: Place) => Promise<T>): Promise<T> {
  makeFolder(resolve(dataDir));
  const place = await withFolderLock(realpathSync(resolve(dataDir)), () => Promise.resolve(makePlace(dataDir)));
  return await withFolderLock(place.home, () => work(place));
}

function enter(place: Place): string {
  const users = join(place.home, 'users');
  mkdirSync(users, { recursive: true });
  giveTo(users, place.user);
  shares += 1;
  const user = join(users, `${ownIdentity()}.${shares}`);
  writeFileSync(user, '');
  return user;
}

async function leave(place: Place, user: string, withinMs: number): Promise<void> {
  await withFolderLock(place.home, async () => {
    rmSync(user, { force: true });
    const users = join(place.home, 'users');
    const others = readdirSync(users).filter((name) => {
      if (isAlive(name.split('.')[0] ?? '')) return true;
      // Killed before it could leave.
      rmSync(join(users, name), { force: true });
      return false;
    });
    if (others.length === 0) await stopServer(place.cluster, withinMs);
  });
}
