/** A start that is refused says why, and repeats no secret of those it was given. */
import { beforeAll, expect, test } from '@jest/globals';
import { type Nats, startNats, withLogin } from '../support/nats.ts';
import { findPlanted, type Planted, secret } from '../support/planted.ts';
import { createDatabase } from '../support/postgres.ts';
import { spawnWaybill } from '../support/waybill.ts';

const JWT_SECRET = secret('jwt secret');
const NATS_PASSWORD = secret('nats password');
const bad = 'bad-secret-'.repeat(3);

let nats: Nats;
let databaseUrl: string;
/** Every secret there is. */
let secrets: Planted[];

beforeAll(async () => {
  nats = await startNats({ config: `authorization { user: waybill, password: "${NATS_PASSWORD.text}" }` });
  databaseUrl = await createDatabase();
  const password: Planted = { what: 'the password of the database', text: new URL(databaseUrl).password };
  secrets = [JWT_SECRET, NATS_PASSWORD, password, { what: 'the bad secret', text: bad.slice(0, 20) }];
});

function withPassword(url: string, password: string): string {
  const address = new URL(url);
  address.password = password;
  return address.href;
}

function meshWith(env: Record<string, string>): Record<string, string> {
  return { TRANSPORTER: withLogin(nats.url, NATS_PASSWORD.text), AUTH_JWT_SECRET: JWT_SECRET.text, ...env };
}

test.each([
  ['a password that the database refuses', () => ({ DATABASE_URL: withPassword(databaseUrl, bad) })],
  ['an address of the database that is none', () => ({ DATABASE_URL: `postgres//waybill:${bad}@db/shop` })],
  ['a password that NATS refuses', () => ({ DATABASE_URL: databaseUrl, TRANSPORTER: withLogin(nats.url, bad) })],
  ['an address of NATS that is none', () => ({ TRANSPORTER: `nats//waybill:${bad}@nats:4222` })],
  ['a secret for tokens that is too short', () => ({ AUTH_JWT_SECRET: bad.slice(0, 31) })],
  ['a secret for the mesh that is too short', () => meshWith({ MESH_SECRET: bad.slice(0, 31) })],
  ['a seed for NATS that is none', () => meshWith({ NATS_NKEY_SEED: bad })],
])('%s ends the start with a line that repeats no secret', async (_, env) => {
  const waybill = await spawnWaybill({ env: { LOGLEVEL: 'trace', ...env() } });
  const { code } = await waybill.exited;
  expect({ code, lines: waybill.stderr.length }).toEqual({ code: 1, lines: 1 });
  const said = [...waybill.stdout, ...waybill.stderr];
  expect(findPlanted(secrets, said)).toEqual([]);
});
