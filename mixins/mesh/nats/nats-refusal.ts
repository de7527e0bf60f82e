/** Tells a NATS server that refuses this process for good from one that is only unreachable for now. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { connect, NatsError } from 'nats';
import { StartRefused } from '../../process/refusal.ts';
import type { MeshSettings, NatsLogin } from '../mesh.settings.ts';
import { natsOptions } from './nats-options.ts';

const TIMEOUT_MS = 2_000;

/**
 * Tries one connection to NATS before anything is started. Returns why NATS cannot be reached; undefined when it can.
 * @throws StartRefused when NATS refuses this process, or when a file named in the settings cannot be read
 */
export async function natsAbsence(mesh: MeshSettings): Promise<string | undefined> {
  const { login, tls } = mesh;
  if (login && 'credentialsFile' in login) await demandFile('NATS_CREDENTIALS', login.credentialsFile);
  await demandFile('NATS_TLS_CA', tls?.caFile);
  await demandFile('NATS_TLS_CERT', tls?.certFile);
  await demandFile('NATS_TLS_KEY', tls?.keyFile);
  const once = { reconnect: false, maxReconnectAttempts: 0, timeout: TIMEOUT_MS };
  try {
    const connection = await connect({ ...natsOptions(mesh, 'waybill start'), ...once });
    await connection.close();
    return undefined;
  } catch (error) {
    const refusal = refusalBy(mesh, error);
    if (refusal) throw refusal;
    const hint = tls && !tls.certFile && codeOf(error) === 'ECONNRESET' ? ' (it may require NATS_TLS_CERT)' : '';
    return `NATS at ${mesh.servers.join(', ')} does not answer${hint}`;
  }
}

/** The refusal when a failed connection cannot succeed later either; undefined when the failure may be temporary. */
export function refusalBy({ servers, login }: MeshSettings, error: unknown): StartRefused | undefined {
  const nats = `NATS at ${servers.join(', ')}`;
  const code = codeOf(error);
  if (error instanceof NatsError && error.isAuthError()) {
    return new StartRefused(`${nats} rejects the login of this process: ${wrongLogin(login)}`);
  }
  if (code === 'BAD_CREDS')
    return new StartRefused('NATS_CREDENTIALS cannot be used: the file contains no credentials');
  if (code === 'SERVER_OPT_NA') {
    return new StartRefused(`${nats} does not offer TLS, which tls:// and NATS_TLS_* require: enable it on the server`);
  }
  if (/^(UNABLE_TO_|CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF|SELF_SIGNED)/.test(code)) {
    return new StartRefused(
      `${nats} has an untrusted certificate (${code}): set NATS_TLS_CA to its certificate authority`,
    );
  }
  if (/^(TLS$|ERR_SSL|ERR_OSSL|ERR_TLS)/.test(code)) {
    return new StartRefused(
      `${nats} cannot be reached over TLS (${code}): check NATS_TLS_CA, NATS_TLS_CERT and NATS_TLS_KEY`,
    );
  }
  return undefined;
}

/** The code of an error; the client wraps those of TLS. */
function codeOf(error: unknown): string {
  const { code, chainedError } = error as { code?: string; chainedError?: { code?: string } };
  return (code === 'TLS' ? chainedError?.code : undefined) ?? code ?? '';
}

function wrongLogin(login: NatsLogin | undefined): string {
  if (login === undefined) return 'set a login in TRANSPORTER, NATS_TOKEN, NATS_NKEY_SEED or NATS_CREDENTIALS';
  if ('user' in login) return 'correct the user and the password in TRANSPORTER';
  if ('token' in login) return 'correct the token in NATS_TOKEN or TRANSPORTER';
  if ('nkeySeed' in login) return 'correct NATS_NKEY_SEED, or add its public key to the server';
  return 'renew the file named by NATS_CREDENTIALS';
}

/** Checks that a file can be read. Never repeats its path: it may be a secret meant for another setting. */
async function demandFile(name: string, path: string | undefined): Promise<void> {
  if (path === undefined) return;
  try {
    await access(path, constants.R_OK);
  } catch {
    throw new StartRefused(`${name} cannot be used: give the path of a file that this process can read`);
  }
}
