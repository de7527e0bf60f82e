/** The settings of the mesh: the NATS servers, the login to them, and the secret that nodes share. */
import { nkeys } from 'nats';
import type { AuthSettings } from '../auth/auth.settings.ts';
import { SettingError, type SettingReader } from '../settings/setting-reader.ts';
import { deriveMeshKeys, type MeshKeys } from './seal/mesh-keys.ts';

/** The credentials of this process at NATS. Never log them. */
export type NatsLogin =
  | { user: string; password: string }
  | { token: string }
  | { nkeySeed: string }
  | { credentialsFile: string };

/** TLS files. They are read at every connection, so that they can be renewed while the process runs. */
export interface NatsTls {
  /** NATS_TLS_CA: the certificate authority of the server; undefined: the ones Node.js trusts. */
  caFile: string | undefined;
  /** NATS_TLS_CERT and NATS_TLS_KEY: the client certificate of this process, and its key. */
  certFile: string | undefined;
  keyFile: string | undefined;
}

export interface MeshSettings {
  /** TRANSPORTER: the NATS servers as `host:port`, without secrets. One server of a cluster is enough. */
  servers: string[];
  /** How this process logs in to NATS; undefined when NATS needs no login. */
  login: NatsLogin | undefined;
  /** When set, every connection must use TLS; undefined: TLS if the server offers it. */
  tls: NatsTls | undefined;
  /** NATS_REPLICAS: how many copies of each event NATS keeps; undefined: three in a cluster, otherwise one. */
  replicas: number | undefined;
  /** The keys that seal packets and events, from MESH_SECRET or AUTH_JWT_SECRET; undefined while authentication is off. */
  keys: MeshKeys | undefined;
}

const SECRET_BYTES = 32;

/**
 * Reads how this process joins the mesh; undefined without a TRANSPORTER.
 * @throws SettingError, which never contains a value, as most of them are secret
 */
export function readMeshSettings(read: SettingReader, auth: AuthSettings | undefined): MeshSettings | undefined {
  const addresses = read.text('TRANSPORTER')?.split(',').map(parseAddress);
  const logins = readLogins(read);
  const tls = readTls(read);
  const secrets = readSecrets(read);
  const replicas = readReplicas(read);
  if (addresses === undefined) {
    demandTransporter({ ...logins, ...tls, MESH_SECRET: secrets, NATS_REPLICAS: replicas });
    return undefined;
  }
  if (secrets !== undefined && auth === undefined) {
    throw new SettingError(
      'MESH_SECRET cannot be used without authentication: set AUTH_JWT_SECRET or AUTH_JWKS_URL as well',
    );
  }
  if (secrets === undefined && auth !== undefined && auth.secret === undefined) {
    throw new SettingError(
      'AUTH_JWKS_URL with TRANSPORTER needs MESH_SECRET: set the same on every node, for example from openssl rand -base64 32',
    );
  }
  const trusted = secrets ?? (auth?.secret === undefined ? undefined : [auth.secret]);
  return {
    servers: addresses.map(({ host }) => host),
    login: oneLogin({ ...logins, TRANSPORTER: addresses.find(({ login }) => login !== undefined)?.login }),
    tls: tlsOf(addresses, tls),
    replicas,
    keys: trusted && deriveMeshKeys(trusted),
  };
}

/** JetStream supports an odd number of replicas, five at most. */
function readReplicas(read: SettingReader): number | undefined {
  const text = read.text('NATS_REPLICAS');
  if (text === undefined) return undefined;
  if (!/^[135]$/.test(text)) read.refuse('NATS_REPLICAS', '1, 3 or 5');
  return Number(text);
}

interface Address {
  secure: boolean;
  host: string;
  login: NatsLogin | undefined;
}

function parseAddress(text: string): Address {
  try {
    const address = new URL(text.trim());
    const { protocol, host } = address;
    if (/^(nats|tls):$/.test(protocol) && host !== '') {
      return { secure: protocol === 'tls:', host, login: loginIn(address) };
    }
  } catch {
    // The reason may contain the password.
  }
  throw new SettingError(
    'TRANSPORTER cannot be used: give one or more addresses that begin with nats:// or tls://, separated by commas',
  );
}

/** NATS treats a user name without a password as a token. */
function loginIn({ username, password }: URL): NatsLogin | undefined {
  if (username === '') return undefined;
  const user = decodeURIComponent(username);
  return password === '' ? { token: user } : { user, password: decodeURIComponent(password) };
}

function readLogins(read: SettingReader): Record<string, NatsLogin | undefined> {
  const token = read.text('NATS_TOKEN');
  const nkeySeed = read.text('NATS_NKEY_SEED');
  const credentialsFile = read.text('NATS_CREDENTIALS');
  if (nkeySeed !== undefined && !isUserSeed(nkeySeed)) {
    throw new SettingError('NATS_NKEY_SEED cannot be used: give the seed of a user, which begins with SU');
  }
  return {
    NATS_TOKEN: token === undefined ? undefined : { token },
    NATS_NKEY_SEED: nkeySeed === undefined ? undefined : { nkeySeed },
    NATS_CREDENTIALS: credentialsFile === undefined ? undefined : { credentialsFile },
  };
}

function isUserSeed(seed: string): boolean {
  try {
    return nkeys.fromSeed(Buffer.from(seed)).getPublicKey().startsWith('U');
  } catch {
    return false;
  }
}

function oneLogin(logins: Record<string, NatsLogin | undefined>): NatsLogin | undefined {
  const [first, second] = Object.entries(logins).filter(([, login]) => login !== undefined);
  if (first && second) {
    throw new SettingError(`${first[0]} and ${second[0]} both contain a NATS login: keep only one of them`);
  }
  return first?.[1];
}

function readTls(read: SettingReader): Record<'NATS_TLS_CA' | 'NATS_TLS_CERT' | 'NATS_TLS_KEY', string | undefined> {
  const files = {
    NATS_TLS_CA: read.text('NATS_TLS_CA'),
    NATS_TLS_CERT: read.text('NATS_TLS_CERT'),
    NATS_TLS_KEY: read.text('NATS_TLS_KEY'),
  };
  const { NATS_TLS_CERT: cert, NATS_TLS_KEY: key } = files;
  if ((cert === undefined) !== (key === undefined)) {
    const [set, missing] = cert === undefined ? ['NATS_TLS_KEY', 'NATS_TLS_CERT'] : ['NATS_TLS_CERT', 'NATS_TLS_KEY'];
    throw new SettingError(`${set} cannot be used alone: give ${missing} as well`);
  }
  return files;
}

function tlsOf(addresses: Address[], files: ReturnType<typeof readTls>): NatsTls | undefined {
  const { NATS_TLS_CA: caFile, NATS_TLS_CERT: certFile, NATS_TLS_KEY: keyFile } = files;
  const wanted = addresses.some(({ secure }) => secure) || (caFile ?? certFile) !== undefined;
  return wanted ? { caFile, certFile, keyFile } : undefined;
}

/** Several secrets are separated by commas: the first one seals, and all of them are accepted. */
function readSecrets(read: SettingReader): string[] | undefined {
  const secrets = read
    .text('MESH_SECRET')
    ?.split(',')
    .map((secret) => secret.trim());
  if (secrets?.some((secret) => Buffer.byteLength(secret) < SECRET_BYTES)) {
    throw new SettingError(
      `MESH_SECRET is too short: give at least ${SECRET_BYTES} bytes without a comma, for example from openssl rand -base64 32`,
    );
  }
  return secrets;
}

/** Setting one of these without TRANSPORTER is a mistake: the process would run alone, unnoticed. */
function demandTransporter(settings: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (value !== undefined) {
      throw new SettingError(`${name} cannot be used without TRANSPORTER: set the address of NATS as well`);
    }
  }
}
