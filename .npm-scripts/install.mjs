/**
 * Installs what package-lock.json names and node_modules lacks, before `npm start` (production) and `npm test`
 * (development). It never deletes: a process that runs from this folder keeps its modules, unlike with `npm ci`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const production = process.argv[2] !== 'development';

const NAME = `waybill-install-${createHash('sha256').update(ROOT).digest('hex').slice(0, 16)}`;
const SOCKET = { linux: `\0${NAME}`, win32: `\\\\.\\pipe\\${NAME}` }[process.platform] ?? join(tmpdir(), NAME);

if (missing().length > 0) {
  await lock();
  // Another start may have installed everything in the meantime.
  process.exit(missing().length === 0 ? 0 : install());
}

/** The needed packages that are not installed in their locked version. */
function missing() {
  const present = packagesIn('node_modules/.package-lock.json');
  return Object.entries(packagesIn('package-lock.json'))
    .filter(([path, entry]) => path !== '' && isNeeded(entry))
    .filter(
      ([path, { version }]) => present[path]?.version !== version || !existsSync(join(ROOT, path, 'package.json')),
    )
    .map(([path]) => path);
}

/** Binaries are optional packages, one for each platform. Those for one C library are not checked: it is costly to detect. */
function isNeeded({ dev, optional, os = [process.platform], cpu = [process.arch], libc }) {
  if (production && dev) return false;
  return !optional || (os.includes(process.platform) && cpu.includes(process.arch) && !libc);
}

function packagesIn(file) {
  const path = join(ROOT, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : {};
}

/** Allows one install at a time in this folder. The system closes the socket even when its process is killed. */
async function lock() {
  for (;;) {
    try {
      return await once(createServer().listen(SOCKET), 'listening');
    } catch {
      console.log('Another start is installing the dependencies: waiting for it.');
    }
    // The holder keeps the connection open until it ends. Only macOS leaves the file of a closed socket behind.
    const holder = connect(SOCKET);
    await once(holder, 'close').catch(() => process.platform === 'darwin' && rmSync(SOCKET, { force: true }));
  }
}

/** Installs, reports the outcome, and returns the exit code. */
function install() {
  const began = performance.now();
  console.log('Installing dependencies (only the first time)…');
  // With --omit=dev npm would remove development packages that are already installed.
  const hasDev = Object.values(packagesIn('node_modules/.package-lock.json')).some(({ dev }) => dev);
  const which = production && !hasDev ? '--omit=dev' : '--include=dev';
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', which];
  const options = { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' };
  const { status, error } = spawnSync('npm', args, options);
  const left = missing();
  if (status === 0 && left.length === 0) {
    console.log(`Installed in ${Math.ceil((performance.now() - began) / 1_000)} s.`);
    return 0;
  }
  const reason =
    status === 0 ? `skipped ${left.slice(0, 3).join(', ')}` : `failed (${error?.message ?? `exit code ${status}`})`;
  console.error(`npm install ${reason}: try again; if that does not help, delete node_modules first`);
  return 1;
}
