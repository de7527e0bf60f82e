/**
 * Makes sure that node_modules holds what package-lock.json names, before `npm start` (production) and `npm test`
 * (development). Costs a few milliseconds when it does. Only ever adds: a server that runs from this folder keeps its
 * modules, and what was installed for development stays.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const LOCK = join(ROOT, 'node_modules', '.install.lock');
const WAIT_MS = 500;

const mode = process.argv[2] ?? 'production';
if (mode !== 'production' && mode !== 'development') end(`unknown mode "${mode}": give production or development`);

if (missing().length > 0) {
  const release = lock();
  try {
    // Another start may have installed everything meanwhile.
    if (missing().length > 0) install();
  } finally {
    release();
  }
}

/** The packages that this mode needs and that are not there in their version. */
function missing() {
  const wanted = packagesIn(join(ROOT, 'package-lock.json'));
  const present = packagesIn(join(ROOT, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== '' && isNeeded(entry))
    .filter(
      ([path, { version }]) => present[path]?.version !== version || !existsSync(join(ROOT, path, 'package.json')),
    )
    .map(([path]) => path);
}

function isNeeded({ dev, optional, devOptional, peer, os, cpu }) {
  if (optional && (dev || peer || devOptional)) return false;
  if (mode === 'production' && dev) return false;
  // Optional packages are for one platform each.
  return !optional || (allows(os, process.platform) && allows(cpu, process.arch) && (os || cpu));
}

function allows(list, value) {
  return !list || list.includes(value) || (list.some((each) => each.startsWith('!')) && !list.includes(`!${value}`));
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch {
    return {};
  }
}

function install() {
  const present = packagesIn(join(ROOT, 'node_modules', '.package-lock.json'));
  // npm would remove the development packages that are there.
  const omit = mode === 'production' && !Object.values(present).some((entry) => entry.dev) ? ['--omit=dev'] : [];
  console.log('Installing what Waybill needs; this is done once.');
  const { status, error } = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', ...omit], {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (error || status !== 0) {
    end(`npm install failed (${error?.message ?? `exit code ${status}`}): look at its messages above, then try again`);
  }
  const rest = missing();
  if (rest.length > 0) end(`npm install left out ${rest.slice(0, 3).join(', ')}: remove node_modules and try again`);
}

/** One install at a time in this folder; the lock of a process that is gone is taken over. Returns the release. */
function lock() {
  mkdirSync(dirname(LOCK), { recursive: true });
  const mine = `${process.pid} ${startOf(process.pid)}`;
  const draft = `${LOCK}.${process.pid}`;
  for (let waiting = false; ; waiting = true) {
    writeFileSync(draft, mine);
    try {
      linkSync(draft, LOCK);
      return () => rmSync(LOCK, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') end(`${LOCK} cannot be made (${error.code})`);
    } finally {
      rmSync(draft, { force: true });
    }
    const holder = textOf(LOCK);
    if (holder !== undefined && !isAlive(holder)) {
      takeAway(holder);
      continue;
    }
    if (!waiting) console.log('Another start is installing what Waybill needs: waiting for it.');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
  }
}

function takeAway(holder) {
  const aside = `${LOCK}.${process.pid}.stale`;
  try {
    renameSync(LOCK, aside);
    // Somebody else may have taken over in between: then it is given back.
    if (textOf(aside) !== holder) linkSync(aside, LOCK);
  } catch {
    // Somebody else took it away first.
  }
  rmSync(aside, { force: true });
}

function isAlive(holder) {
  const [pid, start] = holder.split(' ');
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
  }
  return startOf(pid) === start;
}

/** When a process began, where the system says so: a pid alone may be given to another process. */
function startOf(pid) {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat === undefined ? 'unknown' : stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function end(reason) {
  console.error(`Waybill cannot be installed: ${reason}`);
  if (textOf(LOCK)?.startsWith(`${process.pid} `)) rmSync(LOCK, { force: true });
  process.exit(1);
}
