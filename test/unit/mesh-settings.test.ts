/** The settings of the mesh: what is refused, with which message, and that no message contains a secret. */
import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { nkeys } from 'nats';
import { SettingError } from '../../mixins/settings/setting-reader.ts';
import { readSettings } from '../../services/settings.ts';

const SECRET = 'thirty-two bytes that nobody else knows';
const NATS = { TRANSPORTER: 'nats://nats:4222' };
const seed = Buffer.from(nkeys.createUser().getSeed()).toString();
const accountSeed = Buffer.from(nkeys.createAccount().getSeed()).toString();

const meshOf = (settings: Record<string, string>) => readSettings(settings).mesh;

test('without a TRANSPORTER there is no mesh; an address alone is enough for one', () => {
  expect(meshOf({})).toBeUndefined();
  expect(meshOf(NATS)).toEqual({
    servers: ['nats:4222'],
    login: undefined,
    tls: undefined,
    replicas: undefined,
    keys: undefined,
  });
});

test('an address may hold a user or a token, ask for TLS, and be one of several', () => {
  expect(meshOf({ TRANSPORTER: 'nats://me:p%40ss@a:4222, nats://b' })).toMatchObject({
    servers: ['a:4222', 'b'],
    login: { user: 'me', password: 'p@ss' },
  });
  expect(meshOf({ TRANSPORTER: 'tls://token@[::1]:4222' })).toMatchObject({
    servers: ['[::1]:4222'],
    login: { token: 'token' },
    tls: { caFile: undefined },
  });
});

test.each<[string, Record<string, string>, string]>([
  [
    'another protocol',
    { TRANSPORTER: 'redis://me:sesame@host' },
    'TRANSPORTER cannot be used: give one or more addresses',
  ],
  ['no host', { TRANSPORTER: 'nats://' }, 'TRANSPORTER cannot be used: give one or more addresses'],
  [
    'a broken escape',
    { TRANSPORTER: 'nats://me:sesame%@host' },
    'TRANSPORTER cannot be used: give one or more addresses',
  ],
  [
    'a list with an empty entry',
    { TRANSPORTER: 'nats://a,,nats://b' },
    'TRANSPORTER cannot be used: give one or more addresses',
  ],
  ['a login without a mesh', { NATS_TOKEN: 'sesame' }, 'NATS_TOKEN cannot be used without TRANSPORTER'],
  ['a secret without a mesh', { MESH_SECRET: SECRET }, 'MESH_SECRET cannot be used without TRANSPORTER'],
  ['an authority without a mesh', { NATS_TLS_CA: '/sesame' }, 'NATS_TLS_CA cannot be used without TRANSPORTER'],
  [
    'two logins',
    { ...NATS, NATS_TOKEN: 'sesame', NATS_NKEY_SEED: seed },
    'NATS_TOKEN and NATS_NKEY_SEED both contain a NATS login',
  ],
  [
    'a login beside the address',
    { TRANSPORTER: 'nats://a:sesame@b', NATS_CREDENTIALS: '/c' },
    'both contain a NATS login',
  ],
  ['an invalid seed', { ...NATS, NATS_NKEY_SEED: `${seed.slice(0, -1)}x` }, 'NATS_NKEY_SEED cannot be used: give the'],
  [
    'the seed of an account',
    { ...NATS, NATS_NKEY_SEED: accountSeed },
    'NATS_NKEY_SEED cannot be used: give the seed of',
  ],
  ['a certificate without its key', { ...NATS, NATS_TLS_CERT: '/sesame' }, 'NATS_TLS_CERT cannot be used alone'],
  ['a key without its certificate', { ...NATS, NATS_TLS_KEY: '/sesame' }, 'NATS_TLS_KEY cannot be used alone'],
  [
    'a short secret',
    { ...NATS, AUTH_JWT_SECRET: SECRET, MESH_SECRET: 'sesame' },
    'MESH_SECRET is too short: give at least',
  ],
  [
    'a short second secret',
    { ...NATS, AUTH_JWT_SECRET: SECRET, MESH_SECRET: `${SECRET},sesame` },
    'give at least 32 bytes',
  ],
  [
    'a mesh secret without authentication',
    { ...NATS, MESH_SECRET: SECRET },
    'MESH_SECRET cannot be used without authentication',
  ],
  [
    'an issuer without a mesh secret',
    { ...NATS, AUTH_JWKS_URL: 'https://issuer/keys' },
    'AUTH_JWKS_URL with TRANSPORTER needs MESH_SECRET',
  ],
])('%s is refused in one line that repeats no value', (_what, settings, line) => {
  let message = '';
  try {
    readSettings(settings);
  } catch (error) {
    expect(error).toBeInstanceOf(SettingError);
    ({ message } = error as SettingError);
  }
  expect(message).toContain(line);
  for (const secret of ['sesame', seed, accountSeed, SECRET]) expect(message).not.toContain(secret);
});

test('the keys of a mesh come from MESH_SECRET, else from AUTH_JWT_SECRET, and show neither', () => {
  const own = meshOf({ ...NATS, AUTH_JWT_SECRET: SECRET });
  const apart = meshOf({ ...NATS, AUTH_JWKS_URL: 'https://issuer/keys', MESH_SECRET: `${SECRET} , ${SECRET}2` });
  const bytes = (mesh: ReturnType<typeof meshOf>) => mesh?.keys?.packets.map((key) => key.export().toString('hex'));
  expect(bytes(own)).toHaveLength(1);
  expect(bytes(apart)?.[0]).toBe(bytes(own)?.[0]);
  expect(
    new Set([...(bytes(apart) ?? []), ...(own?.keys?.events ?? []).map((key) => key.export().toString('hex'))]).size,
  ).toBe(3);
  for (const shown of [inspect(own, { depth: 9 }), JSON.stringify(own)]) {
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain(bytes(own)?.[0]);
  }
});
