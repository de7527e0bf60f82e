/** Checks the container files against the program: without an engine to run them, every name is checked. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { connect } from 'nats';
import type { MeshSettings } from '../../mixins/mesh/mesh.settings.ts';
import { natsOptions } from '../../mixins/mesh/nats/nats-options.ts';
import { readSettings, type ServiceName, SERVICES } from '../../services/settings.ts';
import { afterTheTest } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startNatsProcess } from '../support/process/nats-process.ts';
import { ROOT } from '../support/process/project.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const STATEFUL = (Object.keys(SERVICES) as ServiceName[]).filter((name) => SERVICES[name].stateful);
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const yaml = createRequire(import.meta.url)('js-yaml') as { load(text: string): unknown };

interface ComposeService {
  image?: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  network_mode?: string;
  user?: string;
  read_only?: boolean;
  tmpfs?: string[];
  cap_drop?: string[];
  security_opt?: string[];
  deploy?: { replicas?: number };
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
}

const compose = yaml.load(read('docker-compose.yml')) as {
  services: Record<string, ComposeService>;
  volumes: Record<string, unknown>;
};
const parts = Object.entries(compose.services);
const ours = parts.filter(([, part]) => part.environment?.SERVICES !== undefined);

/** Values for all variables that Compose asks for. */
const SECRET = 'what-the-operator-chose-and-nobody-else-knows';

/** As Compose would fill it in. */
const filledIn = (text: string): string =>
  text.replaceAll(
    /\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}/g,
    (_all, _name, fallback: string | undefined) => fallback ?? SECRET,
  );

const environmentOf = (part: ComposeService): Record<string, string> =>
  Object.fromEntries(Object.entries(part.environment ?? {}).map(([name, value]) => [name, filledIn(value)]));

test('compose runs every service, orders twice', () => {
  expect(ours.map(([name]) => name).toSorted()).toEqual(Object.keys(SERVICES).toSorted());
  for (const [name, part] of ours) expect(part.environment?.SERVICES).toBe(name);
  expect(compose.services.orders?.deploy?.replicas).toBe(2);
});

test('every variable that compose sets for a service is a setting the program reads, with a value it accepts', () => {
  const known = new Set<string>();
  readSettings(new Proxy({}, { get: (_environment, name) => void known.add(String(name)) }));
  for (const [, part] of ours) {
    const environment = environmentOf(part);
    expect(Object.keys(environment).filter((variable) => !known.has(variable))).toEqual([]);
    expect(() => readSettings(environment)).not.toThrow();
  }
});

test('every service that keeps data has a PostgreSQL, a volume and a health check of its own', () => {
  const volumes = STATEFUL.map((name) => {
    const url = readSettings(environmentOf(compose.services[name] as ComposeService)).databaseUrl(name);
    const database = compose.services[new URL(url as string).hostname];
    expect(database?.image).toMatch(/^postgres:/);
    expect(database?.healthcheck?.test).toContain('pg_isready');
    return database?.volumes?.[0]?.split(':')[0];
  });
  expect(new Set(volumes).size).toBe(STATEFUL.length);
  const used = parts.flatMap(([, part]) => part.volumes ?? []).map((volume) => volume.split(':')[0]);
  expect(new Set(used)).toEqual(new Set(Object.keys(compose.volumes)));
});

test('all services meet over a NATS with JetStream that keeps its store in a volume', () => {
  const { nats } = compose.services;
  expect(nats?.command).toContain('--jetstream');
  const store = nats?.command?.[nats.command.indexOf('--store_dir') + 1];
  expect(nats?.volumes).toEqual([`nats-data:${store}`]);
  for (const [, part] of ours) expect(readSettings(environmentOf(part)).mesh?.servers).toEqual(['nats:4222']);
});

test('every part has a health check, and waits for the health of what it needs', () => {
  for (const [name, part] of parts) expect([name, part.healthcheck?.test[0]]).toEqual([name, 'CMD']);
  for (const [name, part] of ours) {
    const needs = Object.keys(part.depends_on ?? {});
    expect([name, ...needs]).toContain('nats');
    expect(needs.filter((need) => !compose.services[need])).toEqual([]);
    for (const need of Object.values(part.depends_on ?? {})) expect(need.condition).toBe('service_healthy');
  }
});

test('the gateway asks for tokens, is published to the loopback of the machine, and nothing else is', () => {
  const published = parts.flatMap(([name, part]) => (part.ports ?? []).map((port) => `${name} ${port}`));
  expect(published).toEqual(['api 127.0.0.1:8090:8090']);
  const { auth, api: http } = readSettings(environmentOf(compose.services.api as ComposeService));
  expect([auth?.secret, http.host, http.port]).toEqual([SECRET, '0.0.0.0', 8090]);
  expect(parts.filter(([, part]) => part.network_mode !== undefined)).toEqual([]);
});

test('all nodes share the same secret', () => {
  const keys = ours.map(([, part]) => readSettings(environmentOf(part)).mesh?.keys);
  expect(keys[0]).toBeDefined();
  for (const key of keys) expect(key).toEqual(keys[0]);
});

test('the file contains no secret: a missing one is asked for', () => {
  const variables = [...read('docker-compose.yml').matchAll(/\$\{(\w+)([^}]*)\}/g)];
  const secret = variables.filter(([, name]) => /SECRET|PASSWORD/.test(name as string));
  const asked = secret.filter(([, , rest]) => rest?.startsWith(':?')).map(([, name]) => name as string);
  expect(asked.toSorted()).toEqual(['AUTH_JWT_SECRET', 'NATS_PASSWORD', 'POSTGRES_PASSWORD']);
  expect(secret.filter(([, , rest]) => rest !== '' && !rest?.startsWith(':?'))).toEqual([]);
});

test('every container has a read-only root file system and cannot gain privileges', () => {
  for (const [name, part] of parts) {
    const { read_only, cap_drop, security_opt, tmpfs } = part;
    expect({ name, read_only, cap_drop, security_opt }).toEqual({
      name,
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(tmpfs).toContain('/tmp');
    expect(part).not.toHaveProperty('privileged');
    if (part.image?.startsWith('postgres:'))
      expect([part.user, tmpfs]).toEqual(['postgres', ['/tmp', '/var/run/postgresql']]);
  }
});

test('NATS accepts only the login that every service is given', async () => {
  const [port, monitoring, store] = [await freePort(), await freePort(), await temporaryFolder()];
  const command = (compose.services.nats?.command ?? []).map(filledIn);
  const here = command.map((word) => ({ '/data': store, 8222: String(monitoring) })[word] ?? word);
  const server = await startNatsProcess({ port, args: here, cleanUp: afterTheTest });
  try {
    for (const [, part] of ours) {
      const transporter = environmentOf(part).TRANSPORTER?.replace('nats:4222', `127.0.0.1:${port}`);
      const { mesh } = readSettings({ ...environmentOf(part), TRANSPORTER: transporter });
      const connection = await eventually(() => connect(natsOptions(mesh as MeshSettings, 'test')));
      await connection.close();
    }
    await expect(connect({ servers: `127.0.0.1:${port}`, reconnect: false })).rejects.toThrow(/authorization/i);
  } finally {
    await server.kill();
  }
});

const dockerfile = read('Dockerfile').replaceAll('\\\n', ' ');
const instructions = dockerfile.split('\n').filter((line) => /^[A-Z]+ /.test(line));
const valuesOf = (instruction: string): string[] =>
  instructions.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));

test('everything the image copies exists and is let through by .dockerignore', () => {
  const letThrough = new Set(
    read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1)),
  );
  const copied = valuesOf('COPY')
    .filter((value) => !value.startsWith('--from'))
    .flatMap((value) => value.split(' ').slice(0, -1));
  for (const path of copied)
    expect([path, existsSync(join(ROOT, path)), letThrough.has(path)]).toEqual([path, true, true]);
  expect([...new Set(copied)].toSorted()).toEqual([...letThrough].toSorted());
});

test('the image runs on Node 24 as an ordinary user, with production packages, the way npm start does', () => {
  expect(valuesOf('FROM').every((image) => image.startsWith('node:24-slim'))).toBe(true);
  expect(valuesOf('RUN')).toContain('npm ci --omit=dev');
  expect(valuesOf('USER')).toEqual(['node']);
  const command = JSON.parse(valuesOf('CMD').at(-1) as string) as string[];
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
  expect(command.join(' ')).toBe(scripts.start.replace(/^exec /, '').replaceAll('"', ''));
});

test('the health check of image and compose is a program that exists', () => {
  const programs = [valuesOf('HEALTHCHECK').join(), ...ours.map(([, part]) => part.healthcheck?.test.join(' ') ?? '')];
  for (const program of programs) expect(program).toContain('mixins/process/healthcheck.ts');
  expect(existsSync(join(ROOT, 'mixins/process/healthcheck.ts'))).toBe(true);
});

test('a container serves its health on loopback, and in compose its metrics to the network of the services', () => {
  const assignments = valuesOf('ENV').flatMap((line) => line.split(' ').map((pair) => pair.split('=')));
  const image = Object.fromEntries(assignments) as Record<string, string>;
  expect(readSettings(image).metricsPort).toEqual({ host: '127.0.0.1', port: 9464 });
  for (const [name, part] of ours) {
    const { metricsPort } = readSettings({ ...image, ...environmentOf(part) });
    expect([name, metricsPort]).toEqual([name, { host: '0.0.0.0', port: 9464 }]);
  }
});
