/** Tokens of an issuer with public keys: which are accepted, how keys change, and what happens while they cannot be fetched. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import { Unauthenticated } from '../../mixins/auth/auth.failures.ts';
import { tokenVerifier, type VerifierTerms } from '../../mixins/auth/tokens.ts';
import { freePort } from '../support/free-port.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';

const CLAIMS = { role: 'staff', sub: 'sam' };
const SAM = { role: 'staff', subject: 'sam', customerId: null };
let issuer: KeyServer;
beforeAll(async () => {
  issuer = await startKeyServer();
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA'] as const) await issuer.add(alg, alg);
});
afterAll(() => issuer.stop());

const verifierOf = (terms?: VerifierTerms, jwksUrl = issuer.url) =>
  tokenVerifier({ secret: undefined, jwksUrl, issuer: undefined, audience: undefined }, terms);
const refusal = async (checking: unknown): Promise<Error> =>
  (await Promise.resolve(checking).catch((error: unknown) => error)) as Error;

test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('a token signed by %s is accepted', async (alg) => {
  expect(await verifierOf().verify(await issuer.sign(alg, CLAIMS))).toEqual(SAM);
});

test('the keys are fetched once, however many tokens arrive', async () => {
  const verifier = verifierOf();
  const before = issuer.asked();
  const tokens = await Promise.all(['RS256', 'PS256', 'ES256'].map((alg) => issuer.sign(alg, CLAIMS)));
  await Promise.all(tokens.map(async (token) => await verifier.verify(token)));
  expect(issuer.asked() - before).toBe(1);
});

test('a token signed with the public key used as a shared secret is refused', async () => {
  const pem = new TextEncoder().encode(await issuer.publicPem('RS256'));
  const forged = await new SignJWT({ role: 'admin', sub: 'eve' })
    .setProtectedHeader({ alg: 'HS256', kid: 'RS256' })
    .setExpirationTime('1m')
    .sign(pem);
  const error = await refusal(verifierOf().verify(forged));
  expect(error).toBeInstanceOf(Unauthenticated);
  expect(error.message).toContain('alg');
});

test('a token signed with one key under the name of another is refused', async () => {
  const other = await startKeyServer();
  await other.add('RS256', 'RS256');
  const error = await refusal(verifierOf().verify(await other.sign('RS256', CLAIMS)));
  await other.stop();
  expect(error).toBeInstanceOf(Unauthenticated);
});

test('a new key is fetched for its first token, and a withdrawn one is no longer accepted', async () => {
  const verifier = verifierOf({ keysCooldownMs: 0 });
  await issuer.add('old', 'ES256');
  const [first, second] = [await issuer.sign('old', CLAIMS), await issuer.sign('old', { ...CLAIMS, sub: 'other' })];
  expect(await verifier.verify(first)).toEqual(SAM);

  issuer.withdraw('old');
  await issuer.add('new', 'ES256');
  expect(await verifier.verify(await issuer.sign('new', CLAIMS))).toEqual(SAM);
  expect(await refusal(verifier.verify(second))).toBeInstanceOf(Unauthenticated);
});

test('forged tokens cannot make the gateway fetch the keys over and over', async () => {
  const verifier = verifierOf();
  await verifier.verify(await issuer.sign('RS256', CLAIMS));
  const before = issuer.asked();
  for (let i = 0; i < 5; i++) {
    const unknown = await issuer.sign('RS256', CLAIMS, `nobody-knows-${i}`);
    expect(await refusal(verifier.verify(unknown))).toBeInstanceOf(Unauthenticated);
  }
  expect(issuer.asked()).toBe(before);
});

test('while the keys cannot be fetched a new token is 503, and a verified one is still accepted', async () => {
  const verifier = verifierOf({ keysCooldownMs: 0 });
  const known = await issuer.sign('RS256', CLAIMS);
  await verifier.verify(known);
  await issuer.add('late', 'RS256');
  const late = await issuer.sign('late', CLAIMS);
  for (const answer of [
    { status: 500, body: 'out of order' },
    { status: 200, body: 'no JSON' },
    { status: 200, body: '{"keys":7}' },
  ]) {
    issuer.answer(answer);
    expect(await refusal(verifier.verify(late))).toBeInstanceOf(ServiceUnavailable);
    expect(await verifier.verify(known)).toEqual(SAM);
  }
  issuer.answer(undefined);
  expect(await verifier.verify(late)).toEqual(SAM);
});

test.each([301, 302, 303, 307, 308])('a redirect by the key server (%i) is not followed', async (status) => {
  const elsewhere = await startKeyServer();
  try {
    await elsewhere.add('forged', 'RS256');
    issuer.answer({ status, body: '', location: elsewhere.url });
    const token = await elsewhere.sign('forged', CLAIMS);
    expect(await refusal(verifierOf().verify(token))).toBeInstanceOf(ServiceUnavailable);
    expect(elsewhere.asked()).toBe(0);
    expect(await verifierOf({}, elsewhere.url).verify(token)).toEqual(SAM);
  } finally {
    issuer.answer(undefined);
    await elsewhere.stop();
  }
});

test('an unreachable key server is 503, in a message that does not name it', async () => {
  const port = await freePort();
  const verifier = verifierOf({}, `http://127.0.0.1:${port}/keys`);
  const error = await refusal(verifier.verify(await issuer.sign('RS256', CLAIMS)));
  expect(error).toBeInstanceOf(ServiceUnavailable);
  expect(error.message).not.toContain(String(port));
});
