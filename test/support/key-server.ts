/** An issuer of tokens: a key server on loopback, and the private keys to sign with. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';

type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

interface OtherAnswer {
  status: number;
  body: string;
  /** The address it redirects to. */
  location?: string;
}

export interface KeyServer {
  /** A value for AUTH_JWKS_URL. */
  readonly url: string;
  /** How often the keys were asked for. */
  asked(): number;
  /** Makes a key, and publishes it under this id. */
  add(kid: string, alg: Algorithm): Promise<void>;
  /** Publishes a key no longer. Tokens can still be signed with it. */
  withdraw(kid: string): void;
  /** A token that is good for a minute. `published` is the id it names, its own key's by default. */
  sign(kid: string, claims: Record<string, unknown>, published?: string): Promise<string>;
  /** The public key as everyone can have it: PEM. */
  publicPem(kid: string): Promise<string>;
  /** Its answer from now on instead of the keys; undefined: the keys again. */
  answer(other: OtherAnswer | undefined): void;
  stop(): Promise<void>;
}

export async function startKeyServer(): Promise<KeyServer> {
  const made = new Map<string, { alg: Algorithm; pair: Awaited<ReturnType<typeof generateKeyPair>> }>();
  const published = new Map<string, JWK>();
  let asked = 0;
  let other: OtherAnswer | undefined;
  const server = createServer((_request, response) => {
    asked += 1;
    const keys = { status: 200, body: JSON.stringify({ keys: [...published.values()] }) };
    const { status, body, location }: OtherAnswer = other ?? keys;
    const headers = {
      'Content-Type': 'application/json',
      Connection: 'close',
      ...(location && { Location: location }),
    };
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const keyOf = (kid: string) => made.get(kid) as { alg: Algorithm; pair: Awaited<ReturnType<typeof generateKeyPair>> };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    asked: () => asked,
    async add(kid, alg) {
      const pair = await generateKeyPair(alg, { extractable: true });
      made.set(kid, { alg, pair });
      published.set(kid, { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' });
    },
    withdraw: (kid) => void published.delete(kid),
    sign(kid, claims, named = kid) {
      const { alg, pair } = keyOf(kid);
      return new SignJWT(claims).setProtectedHeader({ alg, kid: named }).setExpirationTime('1m').sign(pair.privateKey);
    },
    publicPem: (kid) => exportSPKI(keyOf(kid).pair.publicKey),
    answer: (given) => {
      other = given;
    },
    stop: () => new Promise((done) => void server.close(() => done())),
  };
}
