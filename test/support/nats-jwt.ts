/** What `nsc` makes for a NATS of many accounts: an operator that trusts one account, and a user of it with a file. */
import { randomUUID } from 'node:crypto';
import { nkeys } from 'nats';

type KeyPair = ReturnType<typeof nkeys.createUser>;

const base64url = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url');

function jwt(issuer: KeyPair, subject: KeyPair, name: string, nats: object): string {
  const claims = {
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name,
    nats: { ...nats, version: 2 },
  };
  const signed = `${base64url(JSON.stringify({ typ: 'JWT', alg: 'ed25519-nkey' }))}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${base64url(issuer.sign(Buffer.from(signed)))}`;
}

const UNLIMITED = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const STREAMS = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/** The configuration of such a server, and the text of the file with the user's credentials. */
export function accountWithUser(): { config: string; credentials: string } {
  const [operator, system, account, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ];
  const systemJwt = jwt(operator, system, 'SYS', { type: 'account', limits: UNLIMITED });
  const accountJwt = jwt(operator, account, 'SHOP', { type: 'account', limits: { ...UNLIMITED, ...STREAMS } });
  const userJwt = jwt(account, user, 'engine', { type: 'user', subs: -1, data: -1, payload: -1 });
  const config = `
    operator: ${jwt(operator, operator, 'operator', { type: 'operator', system_account: system.getPublicKey() })}
    system_account: ${system.getPublicKey()}
    resolver: MEMORY
    resolver_preload: { ${system.getPublicKey()}: ${systemJwt}, ${account.getPublicKey()}: ${accountJwt} }`;
  const credentials = [
    '-----BEGIN NATS USER JWT-----',
    userJwt,
    '------END NATS USER JWT------',
    '',
    '-----BEGIN USER NKEY SEED-----',
    Buffer.from(user.getSeed()).toString(),
    '------END USER NKEY SEED------',
    '',
  ].join('\n');
  return { config, credentials };
}
