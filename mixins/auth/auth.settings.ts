/** The settings of authentication. */
import { SettingError, type SettingReader } from '../settings/setting-reader.ts';

/** How callers are known: by a shared secret or by the public keys of an issuer, never by both. */
export interface AuthSettings {
  /** AUTH_JWT_SECRET: the secret that signs tokens (HS256), at least 32 bytes. */
  secret: string | undefined;
  /** AUTH_JWKS_URL: where the public keys are that check tokens. */
  jwksUrl: string | undefined;
  /** AUTH_ISSUER: what a token's `iss` must be; undefined: anything. */
  issuer: string | undefined;
  /** AUTH_AUDIENCE: what a token's `aud` must be or contain; undefined: anything. */
  audience: string | undefined;
}

/** HS256 is as strong as its secret, up to the length of its hash. */
const SECRET_BYTES = 32;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads what there is to authenticate callers with; undefined when nothing is set, which leaves nobody asked.
 * @throws SettingError that never repeats a secret
 */
export function readAuthSettings(read: SettingReader): AuthSettings | undefined {
  const secret = read.text('AUTH_JWT_SECRET');
  const jwksUrl = read.url('AUTH_JWKS_URL', ['https:', 'http:']);
  const issuer = read.text('AUTH_ISSUER');
  const audience = read.text('AUTH_AUDIENCE');
  if (secret !== undefined && jwksUrl !== undefined) {
    throw new SettingError(
      'AUTH_JWT_SECRET and AUTH_JWKS_URL cannot both be used: tokens come from one place, set one',
    );
  }
  if (secret === undefined && jwksUrl === undefined) {
    if (issuer !== undefined || audience !== undefined) {
      const name = issuer === undefined ? 'AUTH_AUDIENCE' : 'AUTH_ISSUER';
      throw new SettingError(`${name} cannot be used alone: set AUTH_JWT_SECRET or AUTH_JWKS_URL as well`);
    }
    return undefined;
  }
  if (secret !== undefined && Buffer.byteLength(secret) < SECRET_BYTES) {
    throw new SettingError(
      `AUTH_JWT_SECRET cannot be used: give at least ${SECRET_BYTES} bytes, such as those of openssl rand -base64 32`,
    );
  }
  if (jwksUrl !== undefined) demandTrustedAddress(new URL(jwksUrl));
  return { secret, jwksUrl, issuer, audience };
}

/** Whoever can answer in the place of the key server can sign tokens. */
function demandTrustedAddress({ protocol, hostname, username, password }: URL): void {
  if (username !== '' || password !== '') {
    throw new SettingError('AUTH_JWKS_URL cannot be used: give an address without user and password');
  }
  if (protocol === 'http:' && !LOOPBACK.test(hostname)) {
    throw new SettingError(
      'AUTH_JWKS_URL cannot be used: give an address that begins with https://, or one on loopback',
    );
  }
}
