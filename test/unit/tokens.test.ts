/** Which tokens are valid, and which claims they need, when tokens are signed with a shared secret. */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { base64url, SignJWT, UnsecuredJWT } from 'jose';
import { Forbidden, Unauthenticated } from '../../mixins/auth/auth.failures.ts';
import type { AuthSettings } from '../../mixins/auth/auth.settings.ts';
import { tokenVerifier } from '../../mixins/auth/tokens.ts';
import { SECRET } from '../support/tokens.ts';

const AUTH: AuthSettings = { secret: SECRET, jwksUrl: undefined, issuer: 'https://id.example', audience: 'waybill' };
const CLAIMS = { role: 'customer', customerId: 42, sub: 'ada' };
const HOLDER = { role: 'customer', customerId: 42 };
const NOW_S = Math.floor(Date.now() / 1_000);

afterEach(() => {
  jest.useRealTimers();
});

interface Making {
  claims?: Record<string, unknown>;
  issuer?: string;
  audience?: string | string[];
  expires?: number;
  notBefore?: number;
  alg?: string;
  secret?: string;
}

const unsigned = ({ claims = CLAIMS, issuer = 'https://id.example', audience = 'waybill', ...times }: Making) => {
  const payload = { ...claims, iss: issuer, aud: audience, exp: times.expires ?? NOW_S + 60 };
  return times.notBefore === undefined ? payload : { ...payload, nbf: times.notBefore };
};

/** A token that is good in all that is not said otherwise. */
const make = (making: Making = {}): Promise<string> =>
  new SignJWT(unsigned(making))
    .setProtectedHeader({ alg: making.alg ?? 'HS256' })
    .sign(new TextEncoder().encode(making.secret ?? SECRET));

const verify = async (token: string, auth = AUTH) => await tokenVerifier(auth).verify(token);

test.each([
  [CLAIMS, { role: 'customer', subject: 'ada', customerId: 42 }],
  [
    { role: 'customer', customerId: 42 },
    { role: 'customer', subject: 'customer 42', customerId: 42 },
  ],
  [
    { role: 'staff', sub: 'sam' },
    { role: 'staff', subject: 'sam', customerId: null },
  ],
  [
    { role: 'admin', sub: 'ann', customerId: 7 },
    { role: 'admin', subject: 'ann', customerId: null },
  ],
])('a token with the claims %j names its holder', async (claims, caller) => {
  expect(await verify(await make({ claims }))).toEqual(caller);
});

test('a token for several audiences is accepted when one of them is ours', async () => {
  expect(await verify(await make({ audience: ['shop', 'waybill'] }))).toMatchObject({ subject: 'ada' });
});

test('issuer and audience are checked only when they are set', async () => {
  const open = { ...AUTH, issuer: undefined, audience: undefined };
  expect(await verify(await make({ issuer: 'https://other.example', audience: 'other' }), open)).toMatchObject(HOLDER);
});

test('clocks may differ by five seconds', async () => {
  expect(await verify(await make({ expires: NOW_S - 2 }))).toMatchObject(HOLDER);
  expect(await verify(await make({ notBefore: NOW_S + 2 }))).toMatchObject(HOLDER);
});

/** The token with another payload under the same signature. */
async function tampered(): Promise<string> {
  const [header, , signature] = (await make()).split('.');
  return [
    header,
    base64url.encode(JSON.stringify(unsigned({ claims: { role: 'admin', sub: 'eve' } }))),
    signature,
  ].join('.');
}

const withoutExpiry = () =>
  new SignJWT({ ...CLAIMS, iss: 'https://id.example', aud: 'waybill' })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET));

describe('a token is refused', () => {
  test.each([
    ['that has expired', () => make({ expires: NOW_S - 30 }), 'has expired'],
    ['that never expires', withoutExpiry, 'has no expiry time'],
    ['that is not valid yet', () => make({ notBefore: NOW_S + 30 }), 'is not valid yet'],
    ['of another issuer', () => make({ issuer: 'https://evil.example' }), 'not from the accepted issuer'],
    ['for another audience', () => make({ audience: 'other' }), 'not meant for this service'],
    [
      'signed with another secret',
      () => make({ secret: 'another secret, which is also long enough' }),
      'not signed with an accepted key',
    ],
    ['signed with the right secret in another way', () => make({ alg: 'HS512', secret: SECRET.padEnd(64) }), 'alg'],
    ['that is not signed at all', () => new UnsecuredJWT(unsigned({})).encode(), 'malformed|alg'],
    ['that was changed after it was signed', tampered, 'not signed with an accepted key'],
    ['that is not a token', () => 'not.a.token', 'malformed'],
    ['that is one word', () => 'password', 'malformed'],
  ])('%s', async (_title, token, reason) => {
    const given = await token();
    const refusal = (await verify(given).catch((error: unknown) => error)) as Error;
    expect(refusal).toBeInstanceOf(Unauthenticated);
    expect(refusal.message).toMatch(new RegExp(reason));
    for (const part of given.split('.').filter((each) => each.length > 8)) expect(refusal.message).not.toContain(part);
  });
});

describe('a valid token that lacks a claim is refused, and the message names the claim', () => {
  test.each([
    [{}, 'role'],
    [{ role: 'root', sub: 'eve' }, 'role'],
    [{ role: 'service', sub: 'eve' }, 'role'],
    [{ role: ['admin'], sub: 'eve' }, 'role'],
    [{ role: 'customer', sub: 'ada' }, 'customerId'],
    [{ role: 'customer', sub: 'ada', customerId: '42' }, 'customerId'],
    [{ role: 'customer', sub: 'ada', customerId: 0 }, 'customerId'],
    [{ role: 'customer', sub: 'ada', customerId: 1.5 }, 'customerId'],
    [{ role: 'customer', sub: 'ada', customerId: 2 ** 53 }, 'customerId'],
    [{ role: 'staff' }, 'sub'],
    [{ role: 'staff', sub: 'a\0b' }, 'sub'],
    [{ role: 'admin', sub: 'x'.repeat(201) }, 'sub'],
  ])('%j', async (claims, claim) => {
    const refusal = (await verify(await make({ claims })).catch((error: unknown) => error)) as Error;
    expect(refusal).toBeInstanceOf(Forbidden);
    expect(refusal.message).toContain(`lacks a valid claim ${claim}`);
  });
});

test('a verified token is cached for a minute, and never past its expiry', async () => {
  const verifier = tokenVerifier(AUTH);
  const [long, short] = [await make({ expires: NOW_S + 3_600 }), await make({ expires: NOW_S + 20 })];
  await Promise.all([verifier.verify(long), verifier.verify(short)]);
  expect([verifier.verify(long), verifier.verify(short)]).toEqual([
    expect.objectContaining(HOLDER),
    expect.objectContaining(HOLDER),
  ]);

  jest.useFakeTimers({ now: (NOW_S + 40) * 1_000, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  expect(verifier.verify(long)).toMatchObject(HOLDER);
  await expect(verifier.verify(short)).rejects.toThrow('has expired');
  jest.setSystemTime((NOW_S + 70) * 1_000);
  const checkedAgain = verifier.verify(long);
  expect(checkedAgain).toBeInstanceOf(Promise);
  expect(await checkedAgain).toMatchObject(HOLDER);
});
