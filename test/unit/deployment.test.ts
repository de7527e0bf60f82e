/** Holds the container files against the program: there is no engine here to run them, so every name is checked. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { readSettings, SERVICE_NAMES, STATEFUL_SERVICES } from '../../mixins/settings.ts';
import { startChild } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { http } from '../support/http.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
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

/** As Compose would fill it in. */
const filledIn = (text: string): string =>
  text.replaceAll(
    /\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}/g,
    (_all, _name, fallback: string | undefined) => fallback ?? 'secret',
  );

const environmentOf = (part: ComposeService): Record<string, string> =>
  Object.fromEntries(Object.entries(part.environment ?? {}).map(([name, value]) => [name, filledIn(value)]));

test('compose runs every service, orders twice', () => {
  expect(ours.map(([name]) => name).toSorted()).toEqual([...SERVICE_NAMES].toSorted());
  for (const [name, part] of ours) expect(part.environment?.SERVICES).toBe(name);
  expect(compose.services.orders?.deploy?.replicas).toBe(2);
});

test('every variable that compose sets for a service is a setting the program reads, with a value it accepts', () => {
  const known = new Set(
    [...read('mixins/settings.ts').matchAll(/'([A-Z][A-Z_]+)'/g)].map((match) => match[1] as string),
  );
  for (const [, part] of ours) {
    const environment = environmentOf(part);
    expect(Object.keys(environment).filter((variable) => !known.has(variable))).toEqual([]);
    expect(() => readSettings(environment)).not.toThrow();
  }
});

test('every service that keeps data has a PostgreSQL, a volume and a health check of its own', () => {
  const volumes = STATEFUL_SERVICES.map((name) => {
    const url = readSettings(environmentOf(compose.services[name] as ComposeService)).databaseUrl(name);
    const database = compose.services[new URL(url as string).hostname];
    expect(database?.image).toMatch(/^postgres:/);
    expect(database?.healthcheck?.test).toContain('pg_isready');
    return database?.volumes?.[0]?.split(':')[0];
  });
  expect(new Set(volumes).size).toBe(STATEFUL_SERVICES.length);
  const used = parts.flatMap(([, part]) => part.volumes ?? []).map((volume) => volume.split(':')[0]);
  expect(new Set(used)).toEqual(new Set(Object.keys(compose.volumes)));
});

test('all services meet over a NATS with JetStream that keeps its store in a volume', () => {
  const { nats } = compose.services;
  expect(nats?.command).toContain('--jetstream');
  const store = nats?.command?.[nats.command.indexOf('--store_dir') + 1];
  expect(nats?.volumes).toEqual([`nats-data:${store}`]);
  for (const [, part] of ours) expect(environmentOf(part).TRANSPORTER).toBe('nats://nats:4222');
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

test('nothing is published beyond the loopback of the machine', () => {
  const published = parts.flatMap(([, part]) => part.ports ?? []);
  expect(published).toEqual(['127.0.0.1:8090:8091']);
  expect(compose.services['api-door']?.network_mode).toBe('service:api');
});

test('the door before the gateway hands connections on, both ways', async () => {
  const [port, gatewayPort] = [await freePort(), await freePort()];
  const gateway = createServer((_request, response) => response.end('through the door'));
  await new Promise<void>((done) => gateway.listen(gatewayPort, '127.0.0.1', done));
  const [, flag, program] = (compose.services['api-door'] as { command: string[] }).command;
  const here = (program as string).replace('8090', String(gatewayPort)).replace('8091', String(port));
  const door = startChild(process.execPath, [flag as string, here]);
  try {
    const reply = await eventually(() => http('GET', `http://127.0.0.1:${port}/`));
    expect(reply.body).toBe('through the door');
  } finally {
    await door.kill();
    gateway.close();
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
  for (const program of programs) expect(program).toContain('mixins/runtime/healthcheck.ts');
  expect(existsSync(join(ROOT, 'mixins/runtime/healthcheck.ts'))).toBe(true);
});
