/** The installation before `npm start` and `npm test`: installs missing packages, quietly, once, and removes nothing. */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startChild } from '../support/child.ts';
import { afterTheTest } from '../support/endings.ts';
import type { Program } from '../support/process/program.ts';
import { ROOT } from '../support/process/project.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: string;

/** A project of two packages, which npm finds in its own folder. */
beforeAll(async () => {
  folder = await temporaryFolder();
  const inFolder = async (...command: string[]): Promise<void> => {
    const npm = startChild('npm', command, { cwd: folder });
    expect({ ...(await npm.exited), said: npm.stderr }).toMatchObject({ code: 0 });
  };
  for (const name of ['ship', 'ruler']) {
    mkdirSync(join(folder, 'sources', name), { recursive: true });
    writeJson(join('sources', name, 'package.json'), { name, version: '1.0.0' });
    await inFolder('pack', `./sources/${name}`, '--silent');
  }
  writeJson('package.json', {
    name: 'shop',
    version: '1.0.0',
    dependencies: { ship: 'file:ship-1.0.0.tgz' },
    devDependencies: { ruler: 'file:ruler-1.0.0.tgz' },
  });
  await inFolder('install', '--package-lock-only', '--silent', '--no-audit');
  cpSync(join(ROOT, '.npm-scripts'), join(folder, '.npm-scripts'), { recursive: true });
}, 60_000);

const writeJson = (path: string, content: object): void => writeFileSync(join(folder, path), JSON.stringify(content));
const isThere = (name: string): boolean => existsSync(join(folder, 'node_modules', name));
const begin = (mode: string): Program =>
  startChild(process.execPath, ['.npm-scripts/install.mjs', mode], { cwd: folder });

async function install(mode: string): Promise<readonly string[]> {
  const child = begin(mode);
  expect({ ...(await child.exited), said: child.stderr }).toEqual({ code: 0, signal: null, said: [] });
  return child.stdout;
}

beforeEach(() => rmSync(join(folder, 'node_modules'), { recursive: true, force: true }));

const INSTALLED = ['Installing dependencies (only the first time)…', expect.stringMatching(/^Installed in \d+ s\.$/)];

test('a first start installs the production packages and prints two lines; a second one prints nothing', async () => {
  expect(await install('production')).toEqual(INSTALLED);
  expect([isThere('ship'), isThere('ruler')]).toEqual([true, false]);
  expect(await install('production')).toEqual([]);
}, 30_000);

test('installed development packages stay when a start finds a package missing', async () => {
  expect(await install('development')).toEqual(INSTALLED);
  rmSync(join(folder, 'node_modules', 'ship'), { recursive: true });
  expect(await install('production')).toEqual(INSTALLED);
  expect([isThere('ship'), isThere('ruler')]).toEqual([true, true]);
}, 30_000);

test('of two simultaneous starts one installs, and the other waits for it', async () => {
  const starts = [begin('development'), begin('development')];
  for (const { exited } of starts) expect((await exited).code).toBe(0);
  const said = starts.map(({ stdout }) => stdout);
  expect(said.filter((lines) => lines.at(-1)?.startsWith('Installed'))).toHaveLength(1);
  expect([isThere('ship'), isThere('ruler')]).toEqual([true, true]);
}, 30_000);

test('a start that was killed during its installation does not block the next', async () => {
  const killed = begin('development');
  while (killed.stdout.length === 0) await new Promise((resolve) => setImmediate(resolve));
  // Its npm continues; this waits for it, as both hold the same output and two at once could conflict.
  await killed.kill('SIGKILL');
  await install('development');
  expect([isThere('ship'), isThere('ruler')]).toEqual([true, true]);
}, 30_000);

test('a package that npm cannot install is a visible error', async () => {
  const [packed, elsewhere] = [join(folder, 'ship-1.0.0.tgz'), join(folder, 'elsewhere.tgz')];
  renameSync(packed, elsewhere);
  afterTheTest(() => renameSync(elsewhere, packed));
  const child = startChild(process.execPath, ['.npm-scripts/install.mjs', 'production'], {
    cwd: folder,
    env: { npm_config_cache: join(folder, 'empty-cache') },
  });
  expect((await child.exited).code).toBe(1);
  expect(child.stderr.join('\n')).toMatch(/npm error[^]*npm install failed \(exit code \d+\)/);
}, 30_000);
