/** The embedded PostgreSQL: one server per data folder, shared by all processes that use it, stopped by the last one. */
import { mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { postgresPrograms } from './binaries.ts';
import { addressOf, ensureServer, makeCluster, stopServer } from './cluster.ts';
import { giveTo, makeFolder, makePlace, type Place, passwordOf } from './place.ts';
import { isAlive, ownIdentity, withFolderLock } from './process.ts';

/** How long the last user waits for the server to stop. A slower shutdown completes on its own. */
const STOP_TIMEOUT_MS = 10_000;

/** One use of a running server. */
export interface EmbeddedPostgres {
  /** The address of the database `waybill`. It contains the password: never print it. */
  readonly url: string;
  /** Ends this use; the last one stops the server. Waits at most `withinMs`. Safe to call twice. */
  stop(withinMs?: number): Promise<void>;
}

let shares = 0;

/**
 * Starts the server of a data folder, or joins the one that runs, whether another process started it or one that was
 * killed left it behind. It listens on a free port of 127.0.0.1 and has its own password.
 * @throws EmbeddedPostgresError with the reason in one line when it cannot run here
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
 * Takes two locks: that of the data folder while the place is looked up (it may move), then that of the place itself,
 * which several data folders may link to.
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
      // It was killed before it could leave.
      rmSync(join(users, name), { force: true });
      return false;
    });
    if (others.length === 0) await stopServer(place.cluster, withinMs);
  });
}
