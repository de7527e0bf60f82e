/** Addresses of databases, as libpq writes them. */
import { expect, test } from '@jest/globals';
import { AddressError } from '../../mixins/database/address-error.ts';
import { parseAddress, placeOf } from '../../mixins/database/address.ts';

test.each([
  ['postgres://u:p@h1:5432,h2:5433/db?target_session_attrs=read-write', 'h1:5432,h2:5433/db'],
  ['postgresql://u:p@h1,h2:5433/db', 'h1,h2:5433/db'],
  ['postgres://u:p@h1,h2/db?port=6432', 'h1:6432,h2:6432/db'],
  ['postgres://u:p@h1,h2/db?port=6432,6433', 'h1:6432,h2:6433/db'],
  ['postgres://u:p@[2001:db8::1]:5432,[::1]/db', '[2001:db8::1]:5432,[::1]/db'],
  ['postgres://u:p@/db?host=h1,h2', 'h1,h2/db'],
  ['postgres://u:p@%2Fvar%2Frun%2Fpostgresql/db', '/var/run/postgresql/db'],
  ['postgres:///db', 'localhost/db'],
  ['postgres://h', 'h'],
])('%s is %s', (url, place) => {
  expect(placeOf(parseAddress(url))).toBe(place);
});

test('user, password and database are percent-decoded; an @ in the password need not be encoded', () => {
  expect(parseAddress('postgres://a%40b:p%2F%2C%3A@h/d%20b')).toMatchObject({
    user: 'a@b',
    password: 'p/,:',
    database: 'd b',
  });
  expect(parseAddress('postgres://u:p@ss:w@h1:1,h2:2/db')).toMatchObject({ user: 'u', password: 'p@ss:w' });
  expect(parseAddress('postgres://h/db')).toMatchObject({ user: undefined, password: undefined });
});

test.each([
  ['postgres://h/db', false],
  ['postgres://h1,h2/db', true],
  ['postgres://h1,h2/db?target_session_attrs=any', false],
  ['postgres://h/db?target_session_attrs=primary', true],
])('of %s a server that takes writes is demanded: %s', (url, writable) => {
  expect(parseAddress(url).writable).toBe(writable);
});

test.each([
  'mysql://u:sesame@h/db',
  'postgres://u:sesame@h:port/db',
  'postgres://u:sesame@h:0/db',
  'postgres://u:sesame@h1:70000,h2/db',
  'postgres://u:sesame@h1,h2,h3/db?port=1,2',
  'postgres://u:sesame@::1/db',
  'postgres://u:sesame%zz@h/db',
  'postgres://u:sesame@h/db?target_session_attrs=standby',
  'postgres://u:sesame@h/db?sslmode=always',
  'postgres://u:sesame@h/db?sslmode=verify-ca',
  'postgres://u:sesame@h/db?sslmode=require&sslrootcert=system',
  'postgres://u:sesame@h/db?sslmode=verify-ca&sslrootcert=system',
  'postgres://u:sesame@h/db?sslmode=require&sslcert=/c.pem',
])('%s is refused, and the refusal repeats nothing of it', (url) => {
  expect(() => parseAddress(url)).toThrow(AddressError);
  expect(() => parseAddress(url)).not.toThrow(/sesame|h1/);
});

test.each([
  ['', undefined],
  ['?sslmode=disable', 'disable'],
  ['?sslmode=prefer', 'prefer'],
  ['?sslmode=require', 'require'],
  ['?sslmode=verify-full', 'verify-full'],
  ['?ssl=true', 'verify-full'],
  ['?sslrootcert=/ca.pem', 'verify-ca'],
  ['?sslrootcert=system', 'verify-full'],
  ['?sslmode=verify-full&sslrootcert=system', 'verify-full'],
])('the TLS of "%s" is %s', (query, mode) => {
  expect(parseAddress(`postgres://h/db${query}`).tls.mode).toBe(mode);
});

test('other parameters are passed to the driver', () => {
  expect(parseAddress('postgres://h1,h2/db?options=-c%20geqo%3Doff&sslmode=require').others).toEqual({
    options: '-c geqo=off',
  });
});
