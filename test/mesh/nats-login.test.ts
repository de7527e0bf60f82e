/** A NATS that requires a login: every kind of login works, and a wrong one ends the start with one line. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { connect, nkeys } from 'nats';
import { natsOptions } from '../../mixins/mesh/nats/nats-options.ts';
import { MeshTransporter } from '../../mixins/mesh/nats/nats-transporter.ts';
import { authority, type Certificate } from '../support/certificates.ts';
import { joinMesh } from '../support/broker.ts';
import { afterTheFile } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import { meshAt, type Nats, startNats } from '../support/nats.ts';
import { accountWithUser } from '../support/nats-jwt.ts';
import { createDatabase } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { spawnWaybill, startWaybill } from '../support/waybill.ts';

type Settings = Record<string, string>;

let folder: string;
let ca: string;
let server: Certificate;
let client: Certificate;
let databaseUrl: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  const made = await authority(folder);
  ca = made.ca;
  [server, client] = [await made.sign('server'), await made.sign('client')];
  databaseUrl = await createDatabase();
}, 30_000);

const PASSWORD = 'sés@me: open/up';
const PASSWORD_CONFIG = `authorization { user: engine, password: "${PASSWORD}" }`;
const asUser = (url: string, password = PASSWORD): Settings => ({
  TRANSPORTER: url.replace('://', `://engine:${encodeURIComponent(password)}@`),
});
const user = nkeys.createUser();
const seed = Buffer.from(user.getSeed()).toString();
const NKEY_CONFIG = `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`;
const tls = (more = ''): string => `tls { cert_file: "${server.cert}", key_file: "${server.key}" ${more} }`;
const mutual = (): string => tls(`, ca_file: "${ca}", verify: true`);
const overTls = (url: string): Settings => ({ TRANSPORTER: url.replace('nats://', 'tls://') });

async function credentialsIn(text: string): Promise<string> {
  const path = join(folder, 'engine.creds');
  await writeFile(path, text);
  return path;
}

const { config: ACCOUNT_CONFIG, credentials } = accountWithUser();

test.each<[string, () => string, (url: string) => Settings | Promise<Settings>]>([
  ['user and password in TRANSPORTER', () => PASSWORD_CONFIG, (url) => asUser(url)],
  ['a token', () => 'authorization { token: "sésame" }', (url) => ({ TRANSPORTER: url, NATS_TOKEN: 'sésame' })],
  [
    'a token in TRANSPORTER',
    () => 'authorization { token: sesame }',
    (url) => ({ TRANSPORTER: url.replace('://', '://sesame@') }),
  ],
  ['an NKey', () => NKEY_CONFIG, (url) => ({ TRANSPORTER: url, NATS_NKEY_SEED: seed })],
  [
    'a file of credentials',
    () => ACCOUNT_CONFIG,
    async (url) => ({ TRANSPORTER: url, NATS_CREDENTIALS: await credentialsIn(credentials) }),
  ],
  ['TLS', () => tls(), (url) => ({ ...overTls(url), NATS_TLS_CA: ca })],
  [
    'TLS with a certificate of its own',
    mutual,
    (url) => ({ TRANSPORTER: url, NATS_TLS_CA: ca, NATS_TLS_CERT: client.cert, NATS_TLS_KEY: client.key }),
  ],
])(
  'a node joins with %s, and its events do too',
  async (_how, config, settingsFor) => {
    const nats = await startNats({ config: config() });
    const settings = await settingsFor(nats.url);
    const env = {
      ...settings,
      DATABASE_URL: databaseUrl,
      NODEID: 'stock',
      SERVICES: 'inventory',
      DEMO_CATALOG: 'false',
    };
    await startWaybill({ services: 'inventory', env });
    const { TRANSPORTER: url, ...others } = settings;
    const mesh = meshAt(url as string, others);

    const peer = await joinMesh('peer', new MeshTransporter(mesh));
    await peer.waitForServices('inventory', 10_000);
    expect(await peer.call('inventory.list', {})).toMatchObject({ items: [] });

    const reader = await connect(natsOptions(mesh, 'reader'));
    afterTheFile(() => reader.close());
    const manager = await reader.jetstreamManager();
    await eventually(async () => expect((await manager.streams.info('WAYBILL-WAYBILL')).config.name).toBeDefined());
  },
  60_000,
);

/** Starts a process that must refuse to start, and returns its one line. */
async function refusal(settings: Settings): Promise<string> {
  const env = { ...settings, DATABASE_URL: databaseUrl, DEMO_CATALOG: 'false' };
  const node = await spawnWaybill({ services: 'inventory', env });
  const { code } = await node.exited;
  expect({ code, lines: node.stderr }).toEqual({ code: 1, lines: [expect.any(String)] });
  const said = [...node.stdout, ...node.stderr].join('\n');
  for (const secret of ['wrong', seed, other]) expect(said).not.toContain(secret);
  return node.stderr[0] as string;
}

const other = Buffer.from(nkeys.createUser().getSeed()).toString();

test.each<[string, () => string, (url: string) => Settings, string]>([
  [
    'a wrong password',
    () => PASSWORD_CONFIG,
    (url) => asUser(url, 'wrong'),
    'correct the user and the password in TRANSPORTER',
  ],
  ['no password', () => PASSWORD_CONFIG, (url) => ({ TRANSPORTER: url }), 'set a login in'],
  [
    'a wrong token',
    () => 'authorization { token: sesame }',
    (url) => ({ TRANSPORTER: url, NATS_TOKEN: 'wrong' }),
    'correct the token',
  ],
  [
    'an NKey that the server does not accept',
    () => NKEY_CONFIG,
    (url) => ({ TRANSPORTER: url, NATS_NKEY_SEED: other }),
    'correct NATS_NKEY_SEED',
  ],
  ['an untrusted certificate', () => tls(), overTls, 'set NATS_TLS_CA to its certificate authority'],
  ['a server without TLS', () => '', overTls, 'does not offer TLS'],
  [
    'a file that is not there',
    () => '',
    (url) => ({ TRANSPORTER: url, NATS_CREDENTIALS: '/nowhere/wrong' }),
    'NATS_CREDENTIALS cannot be used: give the path',
  ],
  [
    'a user that may not subscribe',
    () => 'authorization { users: [{ user: engine, password: "p", permissions: { subscribe: "_INBOX.>" } }] }',
    (url) => asUser(url, 'p'),
    'forbids this process to subscribe to MOL-waybill.',
  ],
])(
  '%s ends the start with one line that says what to do, and holds no secret',
  async (_what, config, settings, line) => {
    const nats = await startNats({ config: config() });
    expect(await refusal(settings(nats.url))).toContain(line);
  },
  30_000,
);

test('a NATS that comes late and refuses ends the start as well', async () => {
  const nats = await startNats({ config: PASSWORD_CONFIG });
  await nats.kill();
  const node = await spawnWaybill({
    services: 'inventory',
    env: { ...asUser(nats.url, 'wrong'), DATABASE_URL: databaseUrl, DEMO_CATALOG: 'false' },
  });
  await eventually(() => expect(node.stdout.join('\n')).toContain('does not answer; waiting for it'));
  await nats.restart();
  expect((await node.exited).code).toBe(1);
  expect(node.stderr.join('\n')).toContain('correct the user and the password in TRANSPORTER');
  expect([...node.stdout, ...node.stderr].join('\n')).not.toContain('wrong');
}, 30_000);

test('a node whose password is rejected logs it, and reconnects once it is accepted again', async () => {
  const nats: Nats = await startNats({ config: PASSWORD_CONFIG });
  const env = { ...asUser(nats.url), DATABASE_URL: databaseUrl, DEMO_CATALOG: 'false' };
  const node = await startWaybill({ services: 'inventory', env });
  await nats.restart('authorization { user: engine, password: changed }');
  await eventually(() =>
    expect(node.stderr.join('\n')).toContain('NATS refuses this process: AUTHORIZATION_VIOLATION'),
  );
  // Both its connections are refused several times. By default a client gives up after two refusals.
  await eventually(() => expect(nats.log().match(/authentication error/g)?.length).toBeGreaterThanOrEqual(8));
  await nats.restart(PASSWORD_CONFIG);
  const mesh = meshAt(asUser(nats.url)['TRANSPORTER'] as string);
  const peer = await joinMesh('peer', new MeshTransporter(mesh));
  await peer.waitForServices('inventory', 15_000);
  expect(node.stderr.join('\n')).not.toContain(PASSWORD);
}, 60_000);
