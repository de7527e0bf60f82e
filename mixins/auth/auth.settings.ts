/** The settings of authentication. */
import { SettingError, type SettingReader } from '../settings/setting-reader.ts';

/** How callers are authenticated: with a shared secret or with an issuer's public keys, never both. */
export interface AuthSettings {
  /** AUTH_JWT_SECRET: the secret that signs tokens (HS256), at least 32 bytes. */
  secret: string | undefined;
  /** AUTH_JWKS_URL: the address of the public keys that verify tokens. */
  jwksUrl: string | undefined;
  /** AUTH_ISSUER: the required `iss` of a token; undefined: any. */
  issuer: string | undefined;
  /** AUTH_AUDIENCE: the value that a token's `aud` must equal or contain; undefined: any. */
  audience: string | undefined;
}

/** The length of an HS256 hash: a shorter secret weakens the signature. */
const SECRET_BYTES = 32;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads how callers are authenticated; undefined when nothing is set, which turns authentication off.
 * @throws SettingError, which never contains a secret
 */
export function readAuthSettings(read: SettingReader): AuthSettings | undefined {
  const secret = read.text('AUTH_JWT_SECRET');
  const jwksUrl = read.url('AUTH_JWKS_URL', ['https:', 'http:']);
  const issuer = read.text('AUTH_ISSUER');
  const audience = read.text('AUTH_AUDIENCE');
  if (secret !== undefined && jwksUrl !== undefined) {
    throw new SettingError('AUTH_JWT_SECRET and AUTH_JWKS_URL cannot be used together: set only one of them');
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
      `AUTH_JWT_SECRET is too short: give at least ${SECRET_BYTES} bytes, for example from openssl rand -base64 32`,
    );
  }
  if (jwksUrl !== undefined) demandTrustedAddress(new URL(jwksUrl));
  return { secret, jwksUrl, issuer, audience };
}

/** Anyone who can impersonate the key server can sign tokens. */
function demandTrustedAddress({ protocol, hostname, username, password }: URL): void {
  if (username !== '' || password !== '') {
    throw new SettingError('AUTH_JWKS_URL cannot be used: remove the user name and password');
  }
  if (protocol === 'http:' && !LOOPBACK.test(hostname)) {
    throw new SettingError('AUTH_JWKS_URL cannot be used: http:// is allowed only on loopback, use https://');
  }
}
