/** A process that asks its callers who they are, and the command that makes their tokens: run as people run them. */
import { describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { tokenCommand } from '../../mixins/auth/token.command.ts';
import { startOwn } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { http } from '../support/http.ts';
import { createDatabase } from '../support/postgres.ts';
import { SECRET } from '../support/tokens.ts';
import { spawnWaybill, startWaybill } from '../support/waybill.ts';

const GIVEN = { AUTH_JWT_SECRET: SECRET };

/** Runs `npm run token` and returns what it prints. */
async function token(args: string[], env: Record<string, string> = GIVEN) {
  const npm = startOwn('npm', ['run', '--silent', 'token', '--', ...args], env);
  const { code } = await npm.exited;
  return { code, printed: npm.stdout, complaint: npm.stderr.filter((line) => !line.startsWith('npm warn')) };
}

test('with authentication it may listen on every address, and requires a token from everyone', async () => {
  const env = { HOST: '0.0.0.0', AUTH_JWT_SECRET: SECRET, DATABASE_URL: await createDatabase() };
  const waybill = await startWaybill({ env });
  await eventually(() => expect(waybill.stdout.join('\n')).toContain('-H "Authorization: Bearer $TOKEN"'));
  const order = {
    customerId: 7,
    items: [{ productId: 1, quantity: 2 }],
    deliveryAddress: '221B Baker Street, London',
    carrier: 'DHL',
  };
  const place = (headers = {}) => http('POST', `${waybill.url}/api/v1/orders`, { body: order, headers });
  expect((await place()).status).toBe(401);

  const { printed } = await token(['--role', 'customer', '--customer', '7']);
  const placed = await place({ Authorization: `Bearer ${printed[0]}` });
  expect([placed.status, placed.body.customerId]).toEqual([201, 7]);
  expect(waybill.stdout.concat(waybill.stderr).join('\n')).not.toMatch(/eyJ|only the tests know/);
});

test('a secret that is too short ends the start with one line that does not repeat it', async () => {
  const waybill = await spawnWaybill({ env: { AUTH_JWT_SECRET: 'sesame' } });
  expect(await waybill.exited).toMatchObject({ code: 1 });
  expect(waybill.stderr).toEqual([
    'Waybill cannot start: AUTH_JWT_SECRET is too short: give at least 32 bytes, for example from openssl rand -base64 32',
  ]);
});

describe('npm run token', () => {
  test('prints a token and nothing else', async () => {
    const { code, printed, complaint } = await token(['--role', 'staff', '--subject', 'sam', '--ttl', '5m'], {
      AUTH_JWT_SECRET: SECRET,
      AUTH_ISSUER: 'https://id.example',
      AUTH_AUDIENCE: 'waybill',
    });
    expect({ code, complaint, lines: printed.length }).toEqual({ code: 0, complaint: [], lines: 1 });
    const claims = decodeJwt(printed[0] as string);
    expect(claims).toMatchObject({ role: 'staff', sub: 'sam', iss: 'https://id.example', aud: 'waybill' });
    expect((claims.exp as number) - (claims.iat as number)).toBe(300);
  });

  test.each([
    [['--role', 'staff'], {}, /^AUTH_JWT_SECRET is not set/],
    [['--role', 'staff'], { AUTH_JWT_SECRET: 'sesame' }, /^AUTH_JWT_SECRET is too short: give at least 32 bytes/],
    [['--role', 'staff'], { AUTH_JWKS_URL: 'https://id.example/keys' }, /^AUTH_JWT_SECRET is not set: .* its issuer$/],
    [['--role', 'root'], GIVEN, /^--role is needed: give customer, staff, admin$/],
    [['--role', 'customer'], GIVEN, /^--role customer needs the id of the customer/],
    [['--role', 'staff', '--customer', '7'], GIVEN, /^--role customer needs the id of the customer/],
    [['--role', 'customer', '--customer', 'ada'], GIVEN, /^--customer=ada cannot be used: give a whole number/],
    [['--role', 'staff', '--ttl', 'long'], GIVEN, /^--ttl=long cannot be used: give a duration/],
    [['--rule', 'staff'], GIVEN, /Give --role staff/],
  ])('%j with %j is refused in one line, and nothing is printed', async (args, env, line) => {
    const [printed, complaint]: string[][] = [[], []];
    const code = await tokenCommand(
      args,
      (text) => void printed?.push(text),
      (text) => void complaint?.push(text),
      env,
    );
    expect({ code, printed, complaint }).toEqual({ code: 1, printed: [], complaint: [expect.stringMatching(line)] });
  });
});
