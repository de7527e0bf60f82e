/** The settings: their defaults, and one clear line for each that cannot be used. */
import { expect, test } from '@jest/globals';
import { SettingError } from '../../mixins/settings/setting-reader.ts';
import { readSettings } from '../../services/settings.ts';

test('no setting is required', () => {
  const settings = readSettings({});
  expect(settings).toMatchObject({
    api: { port: 8090, host: '127.0.0.1' },
    inventory: { demoCatalog: true },
    logLevel: 'info',
    logFormat: 'text',
  });
  expect(settings.services).toContain('api');
  expect(settings.databaseUrl('orders')).toBeUndefined();
});

test('an empty setting counts as unset, and duplicate services are merged', () => {
  expect(readSettings({ PORT: '', SERVICES: ' ' })).toEqual({
    ...readSettings({}),
    databaseUrl: expect.any(Function),
    reader: expect.anything(),
  });
  expect(readSettings({ SERVICES: ' api, orders ,api,' }).services).toEqual(['api', 'orders']);
});

test("a service's own database takes precedence over the common one", () => {
  const { databaseUrl } = readSettings({ DATABASE_URL: 'postgres://a/b', TRACKING_DATABASE_URL: 'postgres://c/d' });
  expect([databaseUrl('orders'), databaseUrl('tracking')]).toEqual(['postgres://a/b', 'postgres://c/d']);
});

test.each([
  ['PORT', 'abc'],
  ['PORT', '65536'],
  ['HOST', '0.0.0.0'],
  ['SERVICES', 'api,foo'],
  ['SERVICES', ','],
  ['DATABASE_URL', 'mysql://x'],
  ['TRANSPORTER', 'redis://x'],
  ['DEMO_CATALOG', 'maybe'],
  ['ORDER_PENDING_TTL', '5 parsecs'],
  ['LOGLEVEL', 'loud'],
  ['LOG_FORMAT', 'xml'],
])('%s=%s is refused by its name, in one line that says what to give', (name, value) => {
  expect(() => readSettings({ [name]: value })).toThrow(SettingError);
  expect(() => readSettings({ [name]: value })).toThrow(new RegExp(`^${name}\\b.* cannot be used.*: `));
});
