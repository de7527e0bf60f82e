/** Bearer tokens (JWT): whether one is genuine, and whom it names. */
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { Forbidden, Unauthenticated } from './auth.failures.ts';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import { isStorable } from '../params/params.ts';
import type { AuthSettings } from './auth.settings.ts';
import { type Caller, type Role, ROLES } from './caller.ts';

/** What each source of keys may sign with. A shared secret never checks what a public key should, nor the reverse. */
export const SECRET_ALGORITHMS = ['HS256'] as const;
export const JWKS_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

/** How far the clock of whoever made a token may be from ours. */
const LEEWAY_S = 5;
/** How long a token that was checked is believed without another look, and how many are remembered. */
const REMEMBER_MS = 60_000;
const MAX_REMEMBERED = 10_000;
/** Key sets are read again after this long, and at once for a key that is not in them, though not more often than the cooldown. */
const KEYS_MAX_AGE_MS = 600_000;
const KEYS_COOLDOWN_MS = 30_000;
const KEYS_TIMEOUT_MS = 3_000;
/** A subject is part of idempotency keys and log lines. */
const MAX_SUBJECT = 200;

/** Checks tokens. */
export interface TokenVerifier {
  /**
   * The caller that a token names; at once for a token that was checked within the last minute.
   * @throws Unauthenticated for a token that is not genuine, not valid now or not meant for us; Forbidden for a genuine
   * one that does not say enough; ServiceUnavailable while the keys cannot be read.
   */
  verify(token: string): Caller | Promise<Caller>;
}

/** How a verifier treats its key server; for tests. Milliseconds. */
export interface VerifierTerms {
  keysCooldownMs?: number;
}

export function tokenVerifier(auth: AuthSettings, terms: VerifierTerms = {}): TokenVerifier {
  const keyOf = keySource(auth, terms);
  const options = {
    algorithms: [...(auth.secret === undefined ? JWKS_ALGORITHMS : SECRET_ALGORITHMS)],
    clockTolerance: LEEWAY_S,
    requiredClaims: ['exp'],
    ...(auth.issuer !== undefined && { issuer: auth.issuer }),
    ...(auth.audience !== undefined && { audience: auth.audience }),
  };
  const remembered = new Map<string, { caller: Caller; until: number }>();

  const check = async (token: string): Promise<Caller> => {
    const { payload } = await jwtVerify(token, keyOf, options).catch((error: unknown) => {
      throw refusalOf(error);
    });
    const caller = callerIn(payload);
    const now = Date.now();
    const until = Math.min(now + REMEMBER_MS, ((payload.exp as number) + LEEWAY_S) * 1_000);
    if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
    remembered.set(token, { caller, until });
    return caller;
  };

  return {
    verify(token) {
      const known = remembered.get(token);
      if (known !== undefined) {
        if (Date.now() < known.until) return known.caller;
        remembered.delete(token);
      }
      return check(token);
    },
  };
}

/** The key server did not give its keys: that says nothing against the token. */
class KeysAway extends Error {}

function keySource({ secret, jwksUrl }: AuthSettings, terms: VerifierTerms): JWTVerifyGetKey {
  if (secret !== undefined) {
    const key = new TextEncoder().encode(secret);
    return () => Promise.resolve(key);
  }
  const keys = createRemoteJWKSet(new URL(jwksUrl as string), {
    cacheMaxAge: KEYS_MAX_AGE_MS,
    cooldownDuration: terms.keysCooldownMs ?? KEYS_COOLDOWN_MS,
    timeoutDuration: KEYS_TIMEOUT_MS,
  });
  return async (header, input) => {
    try {
      return await keys(header, input);
    } catch (error) {
      const aboutToken = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];
      if (aboutToken.some((kind) => error instanceof kind)) throw error;
      throw new KeysAway('the keys cannot be read', { cause: error });
    }
  };
}

/** What is wrong with a token, in words that do not repeat it. */
function refusalOf(error: unknown): Unauthenticated | ServiceUnavailable {
  if (error instanceof KeysAway) {
    const unread = new ServiceUnavailable(
      'The keys that check tokens cannot be read now. Repeat the request in a moment',
    );
    return Object.assign(unread, { cause: error.cause });
  }
  return new Unauthenticated(`${wrongWith(error)}. Get a new one and send it as Authorization: Bearer <token>`);
}

const WRONG_CLAIM: Record<string, string> = {
  nbf: 'The token is not valid yet',
  iss: 'The token is not of the issuer that is accepted here',
  aud: 'The token is not meant for this service (aud)',
  exp: 'The token does not say when it expires (exp)',
};

function wrongWith(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return WRONG_CLAIM[error.claim] ?? `The claim ${error.claim} of the token is not accepted here`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'The token is signed in a way that is not accepted here (alg)';
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey)
    return 'The token is not signed with a key that is accepted here';
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return 'The token does not say which key it is signed with (kid)';
  return 'What was sent is no token that can be read here';
}

/** Whom the claims of a genuine token name. @throws Forbidden that says which claim is missing */
function callerIn({ role, sub, customerId }: JWTPayload): Caller {
  if (!isRole(role)) throw tooLittle(`role, one of ${ROLES.join(', ')}`);
  if (role === 'customer') {
    if (!Number.isSafeInteger(customerId) || (customerId as number) < 1)
      throw tooLittle('customerId, a whole number from 1 below 2^53, as its role is customer');
    const own = customerId as number;
    return { role, subject: isSubject(sub) ? sub : `customer ${own}`, customerId: own };
  }
  if (!isSubject(sub)) throw tooLittle(`sub, a text of 1 to ${MAX_SUBJECT} characters, as its role is ${role}`);
  return { role, subject: sub, customerId: null };
}

const isRole = (role: unknown): role is Role => ROLES.includes(role as Role);

const isSubject = (sub: unknown): sub is string =>
  typeof sub === 'string' && sub.length > 0 && sub.length <= MAX_SUBJECT && isStorable(sub);

function tooLittle(needed: string): Forbidden {
  return new Forbidden(`The token is genuine but does not say enough. It needs the claim ${needed}`);
}
