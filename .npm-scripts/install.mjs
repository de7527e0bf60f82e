/**
 * Makes sure that node_modules holds what package-lock.json names, before `npm start` (production) and `npm test`
 * (development). Only ever adds: a process that runs from this folder keeps its modules, which `npm ci` would delete.
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
  // Another start may have installed everything meanwhile.
  process.exit(missing().length === 0 ? 0 : install());
}

/** The packages that are needed here and are not there in their version. */
function missing() {
  const present = packagesIn('node_modules/.package-lock.json');
  return Object.entries(packagesIn('package-lock.json'))
    .filter(([path, entry]) => path !== '' && isNeeded(entry))
    .filter(
      ([path, { version }]) => present[path]?.version !== version || !existsSync(join(ROOT, path, 'package.json')),
    )
    .map(([path]) => path);
}

/** Binaries are optional packages, each for one platform; which C library there is cannot be told cheaply. */
function isNeeded({ dev, optional, os = [process.platform], cpu = [process.arch], libc }) {
  if (production && dev) return false;
  return !optional || (os.includes(process.platform) && cpu.includes(process.arch) && !libc);
}

function packagesIn(file) {
  const path = join(ROOT, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : {};
}

/** One install at a time in this folder. The system closes the socket also when its process is killed. */
async function lock() {
  for (;;) {
    try {
      return await once(createServer().listen(SOCKET), 'listening');
    } catch {
      console.log('Another start is installing what Waybill needs: waiting for it.');
    }
    // The holder takes the connection and says nothing until its end. Only macOS leaves the file of a socket that is gone.
    const holder = connect(SOCKET);
    await once(holder, 'close').catch(() => process.platform === 'darwin' && rmSync(SOCKET, { force: true }));
  }
}

/** Says how it went, and answers the exit code. */
function install() {
  const began = performance.now();
  console.log('Installing what Waybill needs; this is done once.');
  // npm would take away the development packages that are there.
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
    status === 0 ? `left out ${left.slice(0, 3).join(', ')}` : `failed (${error?.message ?? `exit code ${status}`})`;
  console.error(`npm install ${reason}: try again, and without node_modules if that does not help`);
  return 1;
}
