/** The manifests for Kubernetes, held against its types, the settings of the program, and a real NATS. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Deployment, StatefulSet } from 'kubernetes-types/apps/v1.js';
import type { ConfigMap, PodTemplateSpec, Service } from 'kubernetes-types/core/v1.js';
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.js';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js';
import { connect } from 'nats';
import { readSettings, type ServiceName, SERVICES } from '../../services/settings.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import {
  containerOf,
  environmentOf,
  kustomization,
  manifestFiles,
  manifests,
  type Manifest,
} from '../support/kubernetes.ts';
import { named, ofKind, typeErrors } from '../support/kubernetes.ts';
import { page } from '../support/markdown.ts';
import { startNats } from '../support/nats.ts';
import { ROOT } from '../support/process/project.ts';

const NAMES = Object.keys(SERVICES) as ServiceName[];
const PASSWORD = 'a-password-that-nobody-else-knows';
const SECRETS: Record<string, string> = {
  AUTH_JWT_SECRET: 'what-the-operator-chose-and-nobody-else-knows',
  NATS_PASSWORD: PASSWORD,
  TRANSPORTER: `nats://waybill:${PASSWORD}@waybill-nats:4222`,
  ORDERS_DATABASE_URL: 'postgres://waybill:sesame@orders-1,orders-2/waybill?sslmode=require',
  INVENTORY_DATABASE_URL: 'postgres://waybill:sesame@inventory-1,inventory-2/waybill?sslmode=require',
  TRACKING_DATABASE_URL: 'postgres://waybill:sesame@tracking-1,tracking-2/waybill?sslmode=require',
};
const secret = (key: string): string => SECRETS[key] ?? `no secret ${key}`;

const deployment = (name: ServiceName) => named<Deployment & Manifest>('Deployment', `waybill-${name}`);
const podOf = (owner: Deployment | StatefulSet) => owner.spec?.template as PodTemplateSpec;
const owners = [...ofKind<Deployment & Manifest>('Deployment'), ...ofKind<StatefulSet & Manifest>('StatefulSet')];
const labelsOf = (owner: Deployment | StatefulSet) => podOf(owner).metadata?.labels ?? {};
const selects = (selector: Record<string, string> | undefined, labels: Record<string, string>): boolean =>
  Object.entries(selector ?? {}).every(([name, value]) => labels[name] === value);

test('the kustomization lists every file', () => {
  expect(kustomization.resources.toSorted()).toEqual(manifestFiles().toSorted());
  expect(kustomization.images.map(({ name }) => name)).toEqual(['waybill']);
});

test('every object has the fields that Kubernetes knows, with values of their types', async () => {
  expect(manifests.length).toBeGreaterThan(15);
  expect(await typeErrors(manifests)).toEqual([]);
});

test('a misspelt field is found', async () => {
  const misspelt = structuredClone(deployment('orders')) as unknown as { spec: { template: { spec: object } } };
  Object.assign(misspelt.spec.template.spec, { terminationGraceSeconds: 15 });
  expect((await typeErrors([misspelt as unknown as Manifest])).join()).toContain('terminationGraceSeconds');
});

test.each(NAMES)('%s runs twice, spread over machines, and one of the two may always be drained', (name) => {
  const owner = deployment(name);
  expect(owner.spec?.replicas).toBeGreaterThanOrEqual(2);
  expect(podOf(owner).spec?.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)).toEqual([
    'kubernetes.io/hostname',
    'topology.kubernetes.io/zone',
  ]);
  const { spec } = named<PodDisruptionBudget & Manifest>('PodDisruptionBudget', `waybill-${name}`);
  expect([spec?.maxUnavailable, selects(spec?.selector?.matchLabels, labelsOf(owner))]).toEqual([1, true]);
});

test.each(NAMES)('every variable of %s is a setting the program reads, with a value it accepts', (name) => {
  const environment = environmentOf(deployment(name), secret);
  const known = new Set<string>();
  readSettings(new Proxy({}, { get: (_environment, variable) => void known.add(String(variable)) }));
  expect(Object.keys(environment).filter((variable) => !known.has(variable))).toEqual([]);
  const settings = readSettings(environment);
  expect(environment.SERVICES).toBe(name);
  expect(settings.mesh?.servers).toEqual(['waybill-nats:4222']);
  expect(settings.mesh?.keys).toBeDefined();
  expect(settings.databaseUrl(name)).toBe(
    SERVICES[name].stateful ? secret(`${name.toUpperCase()}_DATABASE_URL`) : undefined,
  );
});

test.each(NAMES)('%s is asked for its health on the port of its metrics, and has time to stop', (name) => {
  const { spec } = podOf(deployment(name));
  const container = containerOf(podOf(deployment(name)));
  const settings = readSettings(environmentOf(deployment(name), secret));
  const port = container.ports?.find((each) => each.name === 'metrics')?.containerPort;
  expect(settings.metricsPort).toEqual({ host: '0.0.0.0', port });
  expect(
    [container.startupProbe, container.livenessProbe, container.readinessProbe].map((probe) => probe?.httpGet),
  ).toEqual([
    { path: '/health/live', port: 'metrics' },
    { path: '/health/live', port: 'metrics' },
    { path: '/health/ready', port: 'metrics' },
  ]);
  const pause = Number(container.lifecycle?.preStop?.exec?.command?.[1] ?? 0);
  expect(spec?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(pause + 10);
});

test('requests reach the gateway through a Service, which forgets a pod before it stops', () => {
  const { spec } = named<Service & Manifest>('Service', 'waybill-api');
  expect(selects(spec?.selector, labelsOf(deployment('api')))).toBe(true);
  const container = containerOf(podOf(deployment('api')));
  const port = container.ports?.find(({ name }) => name === spec?.ports?.[0]?.targetPort)?.containerPort;
  expect(readSettings(environmentOf(deployment('api'), secret)).api).toMatchObject({ host: '0.0.0.0', port });
  expect(container.lifecycle?.preStop?.exec?.command).toEqual(['sleep', '5']);
});

test('every pod runs as an ordinary user on a read-only disk, without capabilities and without access to the cluster', () => {
  for (const owner of owners) {
    const { spec } = podOf(owner);
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(containerOf(podOf(owner)).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(containerOf(podOf(owner)).resources).toMatchObject({ requests: {}, limits: { memory: expect.any(String) } });
  }
});

test('secrets are referred to, never written, and the page says how to make each of them', () => {
  const asked = owners
    .flatMap((owner) => containerOf(podOf(owner)).env ?? [])
    .flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
  expect(new Set(asked.map(({ name }) => name))).toEqual(new Set(['waybill-secrets']));
  const { text } = page('docs/operate/kubernetes/README.md');
  const made = [...text.matchAll(/--from-literal=(\w+)=/g)].map(([, key]) => key);
  expect(new Set(made)).toEqual(new Set(asked.map(({ key }) => key)));
  expect(new Set(made)).toEqual(new Set(Object.keys(SECRETS)));
  expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
});

test('every network policy selects pods that exist, and opens ports that they have', () => {
  const policies = ofKind<NetworkPolicy & Manifest>('NetworkPolicy');
  for (const { metadata, spec } of policies) {
    const labels = spec?.podSelector?.matchLabels;
    const selected = owners.filter((owner) => selects(labels, labelsOf(owner)));
    expect([metadata.name, selected.length > 0]).toEqual([metadata.name, true]);
    const ports = new Set(selected.flatMap((owner) => containerOf(podOf(owner)).ports ?? []).map(({ name }) => name));
    const opened = (spec?.ingress ?? []).flatMap((rule) => rule.ports ?? []).map(({ port }) => port);
    expect([metadata.name, opened.filter((port) => !ports.has(String(port)))]).toEqual([metadata.name, []]);
  }
  const covered = owners.filter((owner) =>
    policies.some(({ spec }) => selects(spec?.podSelector?.matchLabels, labelsOf(owner))),
  );
  expect(covered).toEqual(owners);
});

test('the configuration of NATS makes a cluster of three that keeps three copies, for those with the password', async () => {
  const text = named<ConfigMap & Manifest>('ConfigMap', 'waybill-nats').data?.['nats-server.conf'] ?? '';
  const { spec } = named<StatefulSet & Manifest>('StatefulSet', 'waybill-nats');
  const pods = Array.from({ length: spec?.replicas ?? 0 }, (_unused, i) => `waybill-nats-${i}`);
  const routes = await Promise.all(pods.map(freePort));
  const servers = await Promise.all(
    pods.map(async (pod, i) => {
      const here = pods.reduce(
        (all, each, k) => all.replace(`${each}.waybill-nats:6222`, `127.0.0.1:${routes[k]}`),
        text,
      );
      expect(here.match(/127\.0\.0\.1/g)).toHaveLength(pods.length);
      const config = here
        .replace('http_port: 8222', `http_port: ${await freePort()}`)
        .replace('port: 6222', `listen: 127.0.0.1:${routes[i]}`)
        // The store and the process's number are in the folder of the test.
        .replace(/jetstream \{.*\}|pid_file: .*/g, '');
      return startNats({ config, env: { POD_NAME: pod, NATS_PASSWORD: PASSWORD } });
    }),
  );
  const urls = servers.map(({ url }) => url);
  await expect(connect({ servers: urls, reconnect: false })).rejects.toThrow(/authorization/i);
  const connection = await connect({ servers: urls, user: 'waybill', pass: PASSWORD });
  try {
    // Until the servers have elected a leader, they do not answer.
    const probe = { name: 'PROBE', subjects: ['probe'], num_replicas: 3 };
    const made = await eventually(
      async () => (await connection.jetstreamManager({ timeout: 2_000 })).streams.add(probe),
      { withinMs: 30_000 },
    );
    expect(made.cluster?.replicas).toHaveLength(2);
  } finally {
    await connection.close();
  }
});

test('the page and the kustomization name files and programs that exist', () => {
  const { text } = page('docs/operate/kubernetes/README.md');
  expect(text).toContain('kubectl apply -k docs/operate/kubernetes');
  const program = /-- node --import tsx (\S+)/.exec(text)?.[1] ?? '';
  expect([program, existsSync(join(ROOT, program))]).toEqual([program, true]);
  expect(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).toContain('USER node');
});
