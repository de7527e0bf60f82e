/** Database addresses in the format of libpq: one or several hosts, which of them to use, and the TLS mode. */
import { AddressError } from './address-error.ts';
import { readTlsTerms, type TlsTerms } from './tls.ts';

/** One server. For undefined fields the driver uses PGHOST and PGPORT, then localhost and 5432. */
export interface Host {
  /** A name, an IP address without brackets, or the folder of a Unix socket. */
  readonly name: string | undefined;
  readonly port: number | undefined;
}

/** A parsed address. */
export interface DatabaseAddress {
  /** In order of preference. */
  readonly hosts: readonly Host[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  /** Whether only a server that accepts writes will do. */
  readonly writable: boolean;
  readonly tls: TlsTerms;
  /** Parameters that are passed to the driver, such as `options`. */
  readonly others: Readonly<Record<string, string>>;
}

const SCHEME = /^postgres(?:ql)?:\/\//;
/** Parameters that are handled here and not passed to the driver. */
const OWN = ['host', 'port', 'target_session_attrs', 'user', 'password', 'dbname'];
const TLS = ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

/**
 * Parses `postgres://user:password@host:port,host:port/database?parameters`. IPv6 addresses are in brackets; `port=…`
 * applies to every host without one. With several hosts only one that accepts writes is used, unless
 * `target_session_attrs=any` is set.
 * @throws AddressError
 */
export function parseAddress(url: string): DatabaseAddress {
  const scheme = SCHEME.exec(url)?.[0];
  if (scheme === undefined) throw new AddressError('an address that begins with postgres:// or postgresql://');
  const [, authority = '', path = '', query = ''] =
    /^([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?/.exec(url.slice(scheme.length)) ?? [];
  const given = new Map(new URLSearchParams(query));
  const at = authority.lastIndexOf('@');
  const [user, ...password] = at < 0 ? [''] : authority.slice(0, at).split(':');
  const hosts = hostsOf(given.get('host') ?? authority.slice(at + 1), given.get('port'));
  return {
    hosts,
    user: given.get('user') ?? textOf(user),
    password: given.get('password') ?? textOf(password.join(':')),
    database: given.get('dbname') ?? textOf(path),
    writable: wantsWritable(given.get('target_session_attrs'), hosts.length > 1),
    tls: readTlsTerms(given),
    others: Object.fromEntries([...given].filter(([name]) => ![...OWN, ...TLS].includes(name))),
  };
}

/** The hosts and database of an address as text for people. It contains no secret. */
export function placeOf({ hosts, database }: Pick<DatabaseAddress, 'hosts' | 'database'>): string {
  return `${hosts.map(hostText).join(',')}${database === undefined ? '' : `/${database}`}`;
}

/** A host as text for people. */
export function hostText({ name = 'localhost', port }: Host): string {
  return `${name.includes(':') ? `[${name}]` : name}${port === undefined ? '' : `:${port}`}`;
}

function hostsOf(text: string, ports: string | undefined): Host[] {
  const parts = text.split(',');
  const others = ports?.split(',') ?? [];
  if (others.length > 1 && others.length !== parts.length) throw new AddressError('one port, or one for each host');
  return parts.map((part, i) => {
    // A folder or an IPv6 address in brackets may itself contain colons.
    const [, name = '', port] = /^(\[[^\]]*\]|\/.*|[^:[\]]*)(?::(\d*))?$/.exec(decoded(part)) ?? refuseHost();
    return {
      name: textOf(name.replaceAll(/^\[|\]$/g, '')),
      port: portOf(port || (others.length > 1 ? others[i] : others[0])),
    };
  });
}

function refuseHost(): never {
  throw new AddressError('hosts as in postgres://first:5432,second:5432/database, with IPv6 addresses in brackets');
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new AddressError('ports from 1 to 65535');
  return port;
}

function wantsWritable(attributes: string | undefined, several: boolean): boolean {
  switch (attributes) {
    case undefined:
      return several;
    case 'any':
      return false;
    case 'read-write':
    case 'primary':
      return true;
    default:
      // Every service writes.
      throw new AddressError('target_session_attrs=read-write, primary or any');
  }
}

function textOf(encoded: string | undefined): string | undefined {
  return encoded ? decoded(encoded) : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AddressError('an address whose special characters are percent-encoded');
  }
}
