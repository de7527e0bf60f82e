/** The manifests for Kubernetes, read and checked against its types without a cluster. */
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Deployment } from 'kubernetes-types/apps/v1.js';
import type { ConfigMap, PodTemplateSpec } from 'kubernetes-types/core/v1.js';
import { startChild } from './child.ts';
import { ROOT } from './process/project.ts';
import { temporaryFolder } from './temporary-folder.ts';

const FOLDER = join(ROOT, 'docs/operate/kubernetes');
const yaml = createRequire(import.meta.url)('js-yaml') as {
  load(text: string): unknown;
  loadAll(text: string): unknown[];
};

/** An object that is applied to a cluster. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}

/** The kustomization: the list of all files. */
export const kustomization = yaml.load(readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8')) as {
  resources: string[];
  images: { name: string }[];
};

/** The files that could be in it. */
export const manifestFiles = (): string[] =>
  readdirSync(FOLDER).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');

/** Every object of every file. */
export const manifests = manifestFiles().flatMap(
  (name) => yaml.loadAll(readFileSync(join(FOLDER, name), 'utf8')) as Manifest[],
);

/** Those of a kind. */
export const ofKind = <Kind extends Manifest>(kind: string): Kind[] =>
  manifests.filter((manifest): manifest is Kind => manifest.kind === kind);

/** The one with this kind and name. */
export function named<Kind extends Manifest>(kind: string, name: string): Kind {
  const found = ofKind<Kind>(kind).find(({ metadata }) => metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name} in docs/operate/kubernetes`);
  return found;
}

/** The program a pod runs. */
export function containerOf({ spec }: PodTemplateSpec) {
  const [container] = spec?.containers ?? [];
  if (!container) throw new Error('the pod has no container');
  return container;
}

/** The environment of a deployment's pods; what comes from a secret is what `secret` returns for its key. */
export function environmentOf(deployment: Deployment, secret: (key: string) => string): Record<string, string> {
  const container = containerOf(deployment.spec?.template as PodTemplateSpec);
  const shared = (container.envFrom ?? []).map(
    ({ configMapRef }) => named<ConfigMap & Manifest>('ConfigMap', configMapRef?.name ?? '').data,
  );
  const own = (container.env ?? []).map(({ name, value, valueFrom }) => {
    const key = valueFrom?.secretKeyRef?.key;
    return [name, value ?? (key === undefined ? `${deployment.metadata?.name}-0` : secret(key))] as const;
  });
  return Object.assign({}, ...shared, Object.fromEntries(own)) as Record<string, string>;
}

/** What the types of Kubernetes refuse of these objects: fields that do not exist, wrong types, missing ones. */
export async function typeErrors(objects: readonly Manifest[]): Promise<string[]> {
  const folder = await temporaryFolder();
  const source = objects.map(({ apiVersion, kind, ...rest }, i) => {
    const group = apiVersion === 'v1' ? 'core/v1' : apiVersion.replace('.k8s.io', '');
    const type = `import('${ROOT}/node_modules/kubernetes-types/${group}.js').${kind}`;
    return `export const object${i}: ${type} = ${JSON.stringify({ apiVersion, kind, ...rest })};`;
  });
  const file = join(folder, 'manifests.ts');
  await writeFile(file, source.join('\n'));
  const options = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--types',
    '',
    '--pretty',
    'false',
  ];
  const compiler = startChild(join(ROOT, 'node_modules/.bin/tsc'), [...options, file], { cwd: folder });
  await compiler.exited;
  return compiler.lines.filter((line) => line.trim() !== '');
}
