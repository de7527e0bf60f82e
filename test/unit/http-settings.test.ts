/** The settings of the gateway: what they mean, and one clear line for each that cannot be used. */
import { describe, expect, test } from '@jest/globals';
import { readGatewaySettings } from '../../mixins/gateway/gateway.settings.ts';
import { SettingError, SettingReader } from '../../mixins/settings/setting-reader.ts';

const read = (environment: Record<string, string>, authenticated = false) =>
  readGatewaySettings(new SettingReader(environment), { authenticated });

describe('RATE_LIMIT', () => {
  test.each([
    ['5', 5, 1_000],
    ['100/s', 100, 1_000],
    ['600/m', 600, 60_000],
    ['5000/H', 5_000, 3_600_000],
    ['1000000', 1_000_000, 1_000],
  ])('%s is a bucket of %i that fills up in %i ms', (text, requests, periodMs) => {
    expect(read({ RATE_LIMIT: text }).rateLimit).toEqual({ requests, periodMs });
  });

  test('is 200 a second with authentication, unlimited without, and can be turned off', () => {
    expect(read({}).rateLimit).toBeUndefined();
    expect(read({}, true).rateLimit).toEqual({ requests: 200, periodMs: 1_000 });
    expect(read({ RATE_LIMIT: 'off' }, true).rateLimit).toBeUndefined();
  });
});

describe('addresses and origins', () => {
  test('with authentication the gateway may listen anywhere', () => {
    expect(read({ HOST: '0.0.0.0' }, true).host).toBe('0.0.0.0');
    expect(() => read({ HOST: '0.0.0.0' })).toThrow('HOST=0.0.0.0 cannot be used without authentication');
  });

  test('origins are separated by commas', () => {
    const origins = read({ CORS_ORIGINS: ' https://shop.example, http://localhost:3000 ,,https://shop.example' });
    expect(origins.corsOrigins).toEqual(['https://shop.example', 'http://localhost:3000']);
    expect(read({}).corsOrigins).toEqual([]);
  });
});

test('headers get no more time than the whole request', () => {
  expect(read({ REQUEST_TIMEOUT: '5s' })).toMatchObject({ headersTimeoutMs: 5_000, requestTimeoutMs: 5_000 });
  expect(() => read({ REQUEST_TIMEOUT: '5s', HEADERS_TIMEOUT: '6s' })).toThrow(
    'HEADERS_TIMEOUT must not exceed REQUEST_TIMEOUT',
  );
});

test.each([
  ['RATE_LIMIT', '0'],
  ['RATE_LIMIT', '10/d'],
  ['RATE_LIMIT', '1.5'],
  ['RATE_LIMIT', '1000001'],
  ['RATE_LIMIT', 'none'],
  ['TRUST_PROXY', 'true'],
  ['TRUST_PROXY', '11'],
  ['MAX_CONNECTIONS', '0'],
  ['HEADERS_TIMEOUT', '50ms'],
  ['REQUEST_TIMEOUT', '0'],
  ['KEEP_ALIVE_TIMEOUT', 'long'],
  ['CORS_ORIGINS', '*'],
  ['CORS_ORIGINS', 'null'],
  ['CORS_ORIGINS', 'shop.example'],
  ['CORS_ORIGINS', 'https://shop.example/'],
  ['CORS_ORIGINS', 'https://*.shop.example'],
  ['CORS_ORIGINS', 'https://shop.example:443'],
  ['CORS_ORIGINS', 'https://Shop.example'],
  ['CORS_ORIGINS', 'file://x'],
])('%s=%s is refused by its name, in one line that says what to give', (name, value) => {
  expect(() => read({ [name]: value })).toThrow(SettingError);
  expect(() => read({ [name]: value })).toThrow(new RegExp(`^${name}\\b.* cannot be used.*: give .+$`));
});
