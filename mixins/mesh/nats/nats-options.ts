/** How every connection of this process to NATS is made: that of the broker, and that of the events. */
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, credsAuthenticator, nkeyAuthenticator } from 'nats';
import type { MeshSettings, NatsLogin } from '../mesh.settings.ts';

/** Where answers to requests come. Of its own, so that NATS can keep others from listening. */
export const INBOX_PREFIX = '_INBOX.waybill';

/**
 * The options of a connection that is kept up for ever. `name` is shown in the server's list of connections. Holds what
 * is secret: never log it.
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
    // A connection that carries nothing any more is known as lost within some two seconds.
    pingInterval: 700,
    maxPingOut: 2,
    // Otherwise the client gives up for good when it is refused twice, as it is while an operator changes a password.
    ignoreAuthErrorAbort: true,
  };
}

function authentication(login: NatsLogin): ConnectionOptions {
  if ('user' in login) return { user: login.user, pass: login.password };
  if ('token' in login) return { token: login.token };
  if ('nkeySeed' in login) return { authenticator: nkeyAuthenticator(Buffer.from(login.nkeySeed)) };
  // Read at every connection: such a file expires, and is renewed in its place.
  return { authenticator: credsAuthenticator(() => readFileSync(login.credentialsFile)) };
}
