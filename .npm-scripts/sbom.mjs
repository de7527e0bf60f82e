/**
 * `npm run --silent sbom`: prints the software bill of materials of the production dependencies (CycloneDX), from
 * package-lock.json alone, without network access. npm's `--omit dev` would drop packages shared with development.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MAX_BYTES = 64 * 1024 * 1024;

const { status, stdout, stderr, error } = spawnSync(
  'npm',
  ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'],
  { cwd: ROOT, encoding: 'utf8', maxBuffer: MAX_BYTES, shell: process.platform === 'win32' },
);
if (status !== 0) {
  console.error(`npm sbom failed: ${error?.message ?? stderr.trim()}`);
  process.exit(1);
}

const bill = JSON.parse(stdout);
const inProject = (path) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

/** `name@version` of every production package. A package may be locked twice, once for development only. */
const production = new Set(
  Object.entries(inProject('package-lock.json').packages)
    .filter(([, { dev, devOptional }]) => !dev && !devOptional)
    .map(([path, { name, version }]) => `${name ?? path.split('node_modules/').at(-1)}@${version}`),
);
const nameOf = ({ group, name }) => (group ? `${group}/${name}` : name);

// npm names the project after its folder.
bill.metadata.component.name = inProject('package.json').name;
bill.components = bill.components.filter((each) => production.has(`${nameOf(each)}@${each.version}`));
const kept = new Set([bill.metadata.component, ...bill.components].map((component) => component['bom-ref']));
bill.dependencies = bill.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((each) => kept.has(each)) }));
console.log(JSON.stringify(bill, null, 2));
