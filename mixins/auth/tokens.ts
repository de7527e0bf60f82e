/** Bearer tokens (JWT): whether a token is valid, and which caller it identifies. */
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { Forbidden, Unauthenticated } from './auth.failures.ts';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import { isStorable } from '../params/params.ts';
import type { AuthSettings } from './auth.settings.ts';
import { type Caller, type Role, ROLES } from './caller.ts';

/** The algorithms of each key source. A shared secret never verifies what a public key should, nor the reverse. */
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

/** How far the issuer's clock may differ from ours. */
const LEEWAY_S = 5;
/** How long a verified token is trusted without another check, and how many are cached. */
const REMEMBER_MS = 60_000;
const MAX_REMEMBERED = 10_000;
/** Keys are fetched again at this age, and at once when one is missing, but never more often than the cooldown. */
const KEYS_MAX_AGE_MS = 600_000;
const KEYS_COOLDOWN_MS = 30_000;
const KEYS_TIMEOUT_MS = 3_000;
/** Bounded because a subject becomes part of idempotency keys and log lines. */
const MAX_SUBJECT = 200;

/** Verifies tokens. */
export interface TokenVerifier {
  /**
   * The caller that a token identifies; synchronous for a token that was verified within the last minute.
   * @throws Unauthenticated for a token that is forged, not valid now or not meant for us; Forbidden for a valid one
   * that lacks a claim; ServiceUnavailable while the keys cannot be fetched.
   */
  verify(token: string): Caller | Promise<Caller>;
}

/** How a verifier treats its key server, in milliseconds; for tests. */
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

/** The keys cannot be fetched, which says nothing about the token. */
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
      throw new KeysAway('the keys cannot be fetched', { cause: error });
    }
  };
}

/** Why a token is refused, without repeating it. */
function refusalOf(error: unknown): Unauthenticated | ServiceUnavailable {
  if (error instanceof KeysAway) {
    const unread = new ServiceUnavailable('The keys that verify tokens are unavailable: retry in a moment');
    return Object.assign(unread, { cause: error.cause });
  }
  return new Unauthenticated(`${wrongWith(error)}: send a new one as Authorization: Bearer <token>`);
}

const WRONG_CLAIM: Record<string, string> = {
  nbf: 'The token is not valid yet',
  iss: 'The token is not from the accepted issuer (iss)',
  aud: 'The token is not meant for this service (aud)',
  exp: 'The token has no expiry time (exp)',
};

function wrongWith(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return WRONG_CLAIM[error.claim] ?? `The token has an invalid claim (${error.claim})`;
  if (error instanceof errors.JOSEAlgNotAllowed)
    return 'The token is signed with an algorithm that is not accepted (alg)';
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey)
    return 'The token is not signed with an accepted key';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'The token does not name the key that signed it (kid)';
  return 'The token is malformed';
}

/** The caller that the claims of a valid token identify. @throws Forbidden that names the missing claim */
function callerIn({ role, sub, customerId }: JWTPayload): Caller {
  if (!isRole(role)) throw tooLittle(`role (one of ${ROLES.join(', ')})`);
  if (role === 'customer') {
    if (!Number.isSafeInteger(customerId) || (customerId as number) < 1)
      throw tooLittle('customerId (for role customer: a whole number from 1 to 2^53 - 1)');
    const own = customerId as number;
    return { role, subject: isSubject(sub) ? sub : `customer ${own}`, customerId: own };
  }
  if (!isSubject(sub)) throw tooLittle(`sub (for role ${role}: a text of 1 to ${MAX_SUBJECT} characters)`);
  return { role, subject: sub, customerId: null };
}

const isRole = (role: unknown): role is Role => ROLES.includes(role as Role);

const isSubject = (sub: unknown): sub is string =>
  typeof sub === 'string' && sub.length > 0 && sub.length <= MAX_SUBJECT && isStorable(sub);

function tooLittle(needed: string): Forbidden {
  return new Forbidden(`The token lacks a valid claim ${needed}`);
}
