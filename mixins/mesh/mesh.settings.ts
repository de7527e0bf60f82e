/** The settings of the mesh: where NATS is, who this process is to it, and what its nodes know each other by. */
import { nkeys } from 'nats';
import type { AuthSettings } from '../auth/auth.settings.ts';
import { SettingError, type SettingReader } from '../settings/setting-reader.ts';
import { deriveMeshKeys, type MeshKeys } from './seal/mesh-keys.ts';

/** What NATS is shown of this process. Never log it. */
export type NatsLogin =
  | { user: string; password: string }
  | { token: string }
  | { nkeySeed: string }
  | { credentialsFile: string };

/** The files of TLS. They are read at every connection, so that they can be renewed while the process runs. */
export interface NatsTls {
  /** NATS_TLS_CA: the authority that signs the server's certificate; undefined: those that Node.js knows. */
  caFile: string | undefined;
  /** NATS_TLS_CERT and NATS_TLS_KEY: the certificate that this process shows, and its key. */
  certFile: string | undefined;
  keyFile: string | undefined;
}

export interface MeshSettings {
  /** TRANSPORTER: the NATS servers as `host:port`, without anything secret. One is enough of a cluster. */
  servers: string[];
  /** How this process logs in to NATS; undefined where NATS lets everyone in. */
  login: NatsLogin | undefined;
  /** With it a connection without TLS is not used; undefined: TLS if the server offers it. */
  tls: NatsTls | undefined;
  /** NATS_REPLICAS: copies that NATS keeps of each event; undefined: three in a cluster, else one. */
  replicas: number | undefined;
  /** MESH_SECRET: what packets and events are sealed with; undefined where callers are not authenticated. */
  keys: MeshKeys | undefined;
}

const SECRET_BYTES = 32;

/**
 * Reads how this process meets the others; undefined without a TRANSPORTER.
 * @throws SettingError that never repeats a value, as most of them are secret
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
      'MESH_SECRET cannot be used where callers are not authenticated: set AUTH_JWT_SECRET or AUTH_JWKS_URL as well',
    );
  }
  if (secrets === undefined && auth !== undefined && auth.secret === undefined) {
    throw new SettingError(
      'AUTH_JWKS_URL and TRANSPORTER need a MESH_SECRET: give every node the same, such as that of openssl rand -base64 32',
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

/** JetStream keeps an odd number of copies, five at most. */
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
    // The reason may repeat the password.
  }
  throw new SettingError(
    'TRANSPORTER cannot be used: give an address that begins with nats:// or tls://, several with commas between them',
  );
}

/** NATS takes a name without a password for a token. */
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
    throw new SettingError(`${first[0]} and ${second[0]} cannot both say who this process is to NATS: set one of them`);
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

/** Of several, separated by commas, the first seals and all are believed. */
function readSecrets(read: SettingReader): string[] | undefined {
  const secrets = read
    .text('MESH_SECRET')
    ?.split(',')
    .map((secret) => secret.trim());
  if (secrets?.some((secret) => Buffer.byteLength(secret) < SECRET_BYTES)) {
    throw new SettingError(
      `MESH_SECRET cannot be used: give at least ${SECRET_BYTES} bytes without a comma, as of openssl rand -base64 32`,
    );
  }
  return secrets;
}

/** Whoever sets these wants to meet other nodes, and would otherwise run a mesh of one without noticing. */
function demandTransporter(settings: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (value !== undefined) {
      throw new SettingError(`${name} cannot be used without TRANSPORTER: give the address of NATS as well`);
    }
  }
}
