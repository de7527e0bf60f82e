/** The settings of authentication: what turns it on, and what is refused in one line that contains no secret. */
import { expect, test } from '@jest/globals';
import { SettingError } from '../../mixins/settings/setting-reader.ts';
import { readSettings } from '../../services/settings.ts';
import { SECRET } from '../support/tokens.ts';

const JWKS = 'https://id.example/keys';

test('without a secret or JWKS address authentication is off', () => {
  expect(readSettings({}).auth).toBeUndefined();
});

test.each([
  [{ AUTH_JWT_SECRET: SECRET }, { secret: SECRET }],
  [{ AUTH_JWKS_URL: JWKS }, { jwksUrl: JWKS }],
  [{ AUTH_JWKS_URL: 'http://localhost:8080/keys' }, { jwksUrl: 'http://localhost:8080/keys' }],
  [{ AUTH_JWKS_URL: 'http://127.0.0.1:8080/keys' }, { jwksUrl: 'http://127.0.0.1:8080/keys' }],
  [{ AUTH_JWKS_URL: 'http://[::1]:8080/keys' }, { jwksUrl: 'http://[::1]:8080/keys' }],
  [
    { AUTH_JWT_SECRET: SECRET, AUTH_ISSUER: 'https://id.example', AUTH_AUDIENCE: 'waybill' },
    { secret: SECRET, issuer: 'https://id.example', audience: 'waybill' },
  ],
])('%j switches authentication on', (environment, auth) => {
  expect(readSettings(environment).auth).toMatchObject(auth);
});

test.each([
  [{ AUTH_JWT_SECRET: 'sesame' }, /^AUTH_JWT_SECRET is too short: give at least 32 bytes/],
  [{ AUTH_JWT_SECRET: 'x'.repeat(31) }, /^AUTH_JWT_SECRET is too short: give at least 32 bytes/],
  [{ AUTH_JWKS_URL: 'ftp://id.example/keys' }, /^AUTH_JWKS_URL cannot be used: give an address that begins with/],
  [{ AUTH_JWKS_URL: 'id.example/keys' }, /^AUTH_JWKS_URL cannot be used: give an address that begins with/],
  [
    { AUTH_JWKS_URL: 'http://id.example/keys' },
    /^AUTH_JWKS_URL cannot be used: http:\/\/ is allowed only on loopback, use https:\/\/$/,
  ],
  [
    { AUTH_JWKS_URL: 'https://ann:sesame@id.example/keys' },
    /^AUTH_JWKS_URL cannot be used: remove the user name and password$/,
  ],
  [
    { AUTH_JWT_SECRET: SECRET, AUTH_JWKS_URL: JWKS },
    /^AUTH_JWT_SECRET and AUTH_JWKS_URL cannot be used together: set only one/,
  ],
  [{ AUTH_ISSUER: 'https://id.example' }, /^AUTH_ISSUER cannot be used alone: set AUTH_JWT_SECRET or AUTH_JWKS_URL/],
  [{ AUTH_AUDIENCE: 'waybill' }, /^AUTH_AUDIENCE cannot be used alone: set AUTH_JWT_SECRET or AUTH_JWKS_URL/],
])('%j is refused', (environment, line) => {
  const reading = (): unknown => readSettings(environment);
  expect(reading).toThrow(SettingError);
  expect(reading).toThrow(line);
  expect(reading).not.toThrow(/sesame|xxx|a secret/);
});

test('the gateway listens beyond loopback only with authentication', () => {
  for (const HOST of ['0.0.0.0', '::', '192.0.2.7', 'shop.example']) {
    expect(() => readSettings({ HOST })).toThrow(`HOST=${HOST} cannot be used without authentication`);
    expect(readSettings({ HOST, AUTH_JWT_SECRET: SECRET }).api.host).toBe(HOST);
    expect(readSettings({ HOST, AUTH_JWKS_URL: JWKS }).api.host).toBe(HOST);
  }
});
