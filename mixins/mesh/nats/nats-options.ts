/** The options of this process's NATS connections: the broker's and that of the event stream. */
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, credsAuthenticator, nkeyAuthenticator } from 'nats';
import type { MeshSettings, NatsLogin } from '../mesh.settings.ts';

/** The inbox prefix for replies. It is our own, so that NATS permissions can keep others from subscribing to it. */
export const INBOX_PREFIX = '_INBOX.waybill';

/**
 * The options of a connection that reconnects for ever. `name` appears in the server's list of connections. They contain
 * secrets: never log them.
 */
export function natsOptions({ servers, login, tls }: MeshSettings, name: string): ConnectionOptions {
  return {
    servers,
    name,
    inboxPrefix: INBOX_PREFIX,
    ...(login ? authentication(login) : {}),
    ...(tls ? { tls: Object.fromEntries(Object.entries(tls).filter(([, file]) => file !== undefined)) } : {}),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    // Detects a dead connection within about two seconds.
    pingInterval: 700,
    maxPingOut: 2,
    // Otherwise the client gives up for good when it is refused twice, as happens while an operator changes a password.
    ignoreAuthErrorAbort: true,
  };
}

function authentication(login: NatsLogin): ConnectionOptions {
  if ('user' in login) return { user: login.user, pass: login.password };
  if ('token' in login) return { token: login.token };
  if ('nkeySeed' in login) return { authenticator: nkeyAuthenticator(Buffer.from(login.nkeySeed)) };
  // Read at every connection: credentials expire and are renewed in the same file.
  return { authenticator: credsAuthenticator(() => readFileSync(login.credentialsFile)) };
}
