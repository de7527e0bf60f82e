/** `npm run token`: makes a token with AUTH_JWT_SECRET, for deployments without a token issuer. */
import { pathToFileURL } from 'node:url';
import { SignJWT } from 'jose';
import { text, UsageError, valuesOf } from '../settings/command-line.ts';
import { type Environment, SettingError, SettingReader } from '../settings/setting-reader.ts';
import { environment } from '../settings/settings.ts';
import { type AuthSettings, readAuthSettings } from './auth.settings.ts';
import { type Role, ROLES } from './caller.ts';
import { SECRET_ALGORITHMS } from './tokens.ts';

/** What a token says about its holder. */
export interface TokenClaims {
  role: Role;
  subject: string;
  /** The customer whose orders the holder may see; only with the role customer. */
  customerId?: number | undefined;
}

const USAGE = '--role staff [--customer 42] [--subject name] [--ttl 1h]';

const DEFAULT_TTL_MS = 3_600_000;

/**
 * A token that is valid from now for `ttlMs`, with the issuer and audience of the settings.
 * @throws SettingError without AUTH_JWT_SECRET
 */
export function mintToken(auth: AuthSettings | undefined, claims: TokenClaims, ttlMs: number): Promise<string> {
  if (auth?.secret === undefined) {
    throw new SettingError(
      auth === undefined
        ? 'AUTH_JWT_SECRET is not set: set it to the secret of the gateway that the token is for'
        : 'AUTH_JWT_SECRET is not set: with AUTH_JWKS_URL, get tokens from its issuer',
    );
  }
  const { role, subject, customerId } = claims;
  const now = Math.floor(Date.now() / 1_000);
  const token = new SignJWT({ role, ...(customerId !== undefined && { customerId }) })
    .setProtectedHeader({ alg: SECRET_ALGORITHMS[0], typ: 'JWT' })
    .setSubject(subject)
    .setIssuedAt(now)
    .setExpirationTime(now + Math.ceil(ttlMs / 1_000));
  if (auth.issuer !== undefined) token.setIssuer(auth.issuer);
  if (auth.audience !== undefined) token.setAudience(auth.audience);
  return token.sign(new TextEncoder().encode(auth.secret));
}

/** Reads the command's options. @throws UsageError or SettingError that says what to give */
function readOptions(args: string[]): { claims: TokenClaims; ttlMs: number } {
  const { role, customer, subject, ttl } = valuesOf(args, { role: text, customer: text, subject: text, ttl: text });
  if (!ROLES.includes(role as Role)) throw new SettingError(`--role is needed: give ${ROLES.join(', ')}`);
  if ((role === 'customer') !== (customer !== undefined)) {
    throw new SettingError(
      '--role customer needs the id of the customer, such as --customer 42; other roles take no --customer',
    );
  }
  const read = new SettingReader({ '--customer': customer, '--ttl': ttl });
  const customerId = customer === undefined ? undefined : read.integer('--customer', 0, 1, Number.MAX_SAFE_INTEGER);
  return {
    claims: {
      role: role as Role,
      subject: subject || (customer === undefined ? (role as Role) : `customer-${customer}`),
      customerId,
    },
    ttlMs: read.duration('--ttl', DEFAULT_TTL_MS, 1_000),
  };
}

/** The command. Prints the token and nothing else, or passes the reason for a failure to `complain`. Returns the exit code. */
export async function tokenCommand(
  args: string[],
  print: (line: string) => void,
  complain: (line: string) => void,
  given: Environment = environment(),
): Promise<number> {
  try {
    const { claims, ttlMs } = readOptions(args);
    print(await mintToken(readAuthSettings(new SettingReader(given)), claims, ttlMs));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) complain(`${error.message.split('\n')[0]} Give ${USAGE}`);
    else if (error instanceof SettingError) complain(error.message);
    else throw error;
    return 1;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await tokenCommand(process.argv.slice(2), console.log, console.error);
}
