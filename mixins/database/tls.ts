/** TLS to a database, with the parameters and semantics of libpq. */
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { AddressError } from './address-error.ts';

/** The TLS parameters of an address. */
export interface TlsTerms {
  /** `prefer` falls back to clear text if the server has no TLS; undefined leaves it to the driver: clear text. */
  readonly mode: SslMode | undefined;
  /** Paths of PEM files: the trusted authority, and the client certificate with its key. */
  readonly rootCert: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export type SslMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

/** The mode for each value of `sslmode`, or of node-postgres's own `ssl`. */
const MODES: Readonly<Record<string, SslMode>> = {
  disable: 'disable',
  allow: 'prefer',
  prefer: 'prefer',
  require: 'require',
  'no-verify': 'require',
  'verify-ca': 'verify-ca',
  'verify-full': 'verify-full',
  true: 'verify-full',
  '1': 'verify-full',
  false: 'disable',
  '0': 'disable',
};

/** Reads the TLS parameters of an address. @throws AddressError */
export function readTlsTerms(given: ReadonlyMap<string, string>): TlsTerms {
  const text = given.get('sslmode') ?? given.get('ssl');
  const rootCert = given.get('sslrootcert') || undefined;
  const [cert, key] = [given.get('sslcert') || undefined, given.get('sslkey') || undefined];
  const mode = text === undefined ? defaultMode(rootCert, cert) : MODES[text];
  if (text !== undefined && mode === undefined) {
    throw new AddressError('sslmode=disable, prefer, require, verify-ca or verify-full');
  }
  // Anyone can get a certificate of a public authority for a name of their own.
  if (rootCert === 'system' && mode !== 'verify-full')
    throw new AddressError('sslmode=verify-full with sslrootcert=system');
  if (mode === 'verify-ca' && rootCert === undefined) {
    throw new AddressError('sslrootcert together with sslmode=verify-ca, or sslmode=verify-full');
  }
  if ((cert === undefined) !== (key === undefined)) throw new AddressError('sslcert together with sslkey');
  return { mode, rootCert, cert, key };
}

function defaultMode(rootCert: string | undefined, cert: string | undefined): SslMode | undefined {
  if (rootCert !== undefined) return rootCert === 'system' ? 'verify-full' : 'verify-ca';
  return cert === undefined ? undefined : 'prefer';
}

/**
 * The driver's option `ssl`. The files are read at each connection, so that renewed ones take effect.
 * @throws the file system's error when a file cannot be read
 */
export async function tlsOptions({
  mode,
  rootCert,
  cert,
  key,
}: TlsTerms): Promise<ConnectionOptions | false | undefined> {
  if (mode === undefined) return undefined;
  if (mode === 'disable') return false;
  // As in libpq, setting an authority turns on verification.
  const verified = mode.startsWith('verify') || (mode === 'require' && rootCert !== undefined);
  return {
    ...(rootCert !== undefined && rootCert !== 'system' ? { ca: await readFile(rootCert) } : {}),
    ...(cert === undefined ? {} : { cert: await readFile(cert) }),
    ...(key === undefined ? {} : { key: await readFile(key) }),
    rejectUnauthorized: verified,
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}
