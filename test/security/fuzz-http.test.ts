/** Every route of a real process gets valid requests and broken ones of every kind; its answers keep the contract. */
import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mintToken } from '../../mixins/auth/token.command.ts';
import { type Attempt, attempt, outcomeOf } from '../support/attempt.ts';
import { demandContract } from '../support/fuzz/answers.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';
import { growthOf } from '../support/fuzz/memory.ts';
import { type Inside, type ProbedWaybill, startProbedWaybill } from '../support/fuzz/probed-waybill.ts';
import { type Case, inBytes, requests, type Senders } from '../support/fuzz/requests.ts';
import { declaredRoutes } from '../support/fuzz/routes.ts';
import { disagreements, hintsOf, openShop, orderOf, type Send, type Shop } from '../support/fuzz/shop.ts';
import { parseResponse, Wire } from '../support/fuzz/wire.ts';
import { http } from '../support/http.ts';
import type { Exit } from '../support/process/program.ts';
import { createDatabase } from '../support/postgres.ts';
import { SECRET } from '../support/tokens.ts';

const CASES = 2_000;
const ROUNDS = 10;
const AT_ONCE = 24;
/** How much more may be reachable at the end than in the middle. */
const GROWTH_BYTES = 8 * 1_048_576;
const AUTH = { secret: SECRET, jwksUrl: undefined, issuer: undefined, audience: undefined };
const HOUR_MS = 3_600_000;
/** Generous, so that a slow machine does not look like an outage. */
const UNHURRIED = { CALL_TIMEOUT: '5s', ORDER_LEASE: '12s' };

const routes = declaredRoutes();
/** How often each route answered with which status. */
const tallies = new Map(routes.map(({ method, path }) => [`${method} ${path}`, new Map<number, number>()]));

let waybill: ProbedWaybill;
let wire: Wire;
let shop: Shop;
let admin: string;
/** What happened, in this order. */
let played: {
  requests: Attempt<{ sent: number; inside: Inside[] }>;
  bytes: Attempt<{ sent: number; answers: number }>;
  running: boolean;
  order: Attempt<Awaited<ReturnType<Send>>>;
  disagreements: Attempt<unknown[]>;
  end: Exit;
};
const send: Send = (method, path, body) =>
  http(method, `${waybill.url}/api/v1${path}`, { body, headers: { Authorization: admin } });

beforeAll(async () => {
  const env = {
    DATABASE_URL: await createDatabase(),
    DEMO_CATALOG: 'false',
    AUTH_JWT_SECRET: SECRET,
    RATE_LIMIT: 'off',
    ...UNHURRIED,
  };
  waybill = await startProbedWaybill({ env });
  wire = new Wire(waybill.port);
  admin = `Bearer ${await mintToken(AUTH, { role: 'admin', subject: 'ann' }, HOUR_MS)}`;
  shop = await openShop(send);
  const attempts = { requests: await attempt(sendRequests()), bytes: await attempt(sendBytes()) };
  const running = waybill.running();
  const [, pot] = shop.products;
  const order = await attempt(send('POST', '/orders', orderOf(77_777, pot as number)));
  const books = await attempt(disagreements(send));
  wire.close();
  played = { ...attempts, running, order, disagreements: books, end: await waybill.stop() };
}, 300_000);

async function senders(): Promise<Senders> {
  const staff = await mintToken(AUTH, { role: 'staff', subject: 'sam' }, HOUR_MS);
  const customer = await mintToken(AUTH, { role: 'customer', subject: 'c', customerId: 7 }, HOUR_MS);
  const expired = await mintToken(AUTH, { role: 'admin', subject: 'ann' }, -HOUR_MS);
  const foreign = await mintToken({ ...AUTH, secret: 'x'.repeat(40) }, { role: 'admin', subject: 'ann' }, HOUR_MS);
  const [head, claims, signature] = staff.split('.') as [string, string, string];
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  const lies = Buffer.from('{"role":"admin","sub":"x","exp":99999999999}').toString('base64url');
  const doubted = [
    expired,
    foreign,
    `${none}.${lies}.`,
    `${head}.${lies}.${signature}`,
    `${head}.${claims}`,
    `${head}..`,
  ];
  return {
    trusted: [admin, admin, admin, `Bearer ${staff}`, `bearer ${customer}`],
    doubted: [...doubted.map((token) => `Bearer ${token}`), `Basic ${head}`, 'Bearer', `Bearer ${staff} ${staff}`],
  };
}

async function judge(each: Case): Promise<void> {
  const answer = await wire.ask(inBytes(each));
  const tally = tallies.get(each.route) as Map<number, number>;
  tally.set(answer.status, (tally.get(answer.status) ?? 0) + 1);
  demandContract(each.method, answer);
}

/** Statuses answered, and how often. */
type Tally = ReadonlyMap<number, number>;

/** The number of answers, of some statuses or all. */
function count(of: Iterable<Tally>, wanted: (status: number) => boolean = () => true): number {
  let sum = 0;
  for (const tally of of) for (const [status, times] of tally) if (wanted(status)) sum += times;
  return sum;
}

/** Sends every kind of request. */
async function sendRequests(): Promise<{ sent: number; inside: Inside[] }> {
  const inside: Inside[] = [];
  const sent = await fuzz(requests(routes, hintsOf(shop), await senders()), judge, {
    cases: CASES,
    rounds: ROUNDS,
    atOnce: AT_ONCE,
    afterRound: async () => void inside.push(await waybill.look()),
  });
  return { sent, inside };
}

test('no request makes the gateway answer anything but what its contract says', () => {
  const { sent, inside } = outcomeOf(played.requests);
  expect(sent).toBeGreaterThanOrEqual(CASES * ROUNDS);
  expect(inside.flatMap(({ added }) => added)).toEqual([]);
  expect(growthOf(inside.map(({ reachableBytes }) => reachableBytes))).toBeLessThan(GROWTH_BYTES);
});

const passed = (status: number): boolean => status < 400;
const refused = (status: number): boolean => status >= 400 && status < 500;

test('every route was both refused and let through', () => {
  for (const [route, tally] of tallies) {
    expect({ route, passed: count([tally], passed) > 0 }).toEqual({ route, passed: true });
    expect({ route, refused: count([tally], refused) > 0 }).toEqual({ route, refused: true });
  }
  const all = [...tallies.values()];
  expect(count(all, passed) / count(all)).toBeGreaterThan(0.1);
  expect(count(all, refused) / count(all)).toBeGreaterThan(0.3);
  // It has more to say than that it is busy.
  expect(count(all, (status) => status === 503) / count(all)).toBeLessThan(0.01);
});

/** The bytes of a sound request, some of them changed, put in, or left out. */
const brokenBytes = (): fc.Arbitrary<Buffer> => {
  const body = JSON.stringify(orderOf(5, 1));
  const head = `Host: waybill\r\nAuthorization: ${admin}\r\nContent-Type: application/json\r\n`;
  const sound = [
    `POST /api/v1/orders HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`,
    `POST /api/v1/orders HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    `GET /api/v1/orders?limit=2 HTTP/1.1\r\n${head}\r\nGET /health/live HTTP/1.1\r\n${head}\r\n`,
    `POST /api/v1/orders HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${body}`,
    `POST /api/v1/orders HTTP/1.1\r\n${head}Content-Length: 3\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  ];
  const change = fc.record({
    at: fc.nat(2_000),
    how: fc.constantFrom('put', 'replace', 'remove', 'cut'),
    bytes: fc.oneof(
      fc.constantFrom('\0', '\r', '\n', '\r\n', '\r\n\r\n', ' ', ':', '-', '9', '\xff', '%', '0\r\n\r\n'),
      fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 4 }),
    ),
  });
  return fc.tuple(fc.constantFrom(...sound), fc.array(change, { maxLength: 3 })).map(([text, changes]) =>
    changes.reduce(
      (bytes, { at, how, bytes: put }) => {
        const start = at % (bytes.length + 1);
        if (how === 'cut') return bytes.subarray(0, start);
        const rest = bytes.subarray(how === 'put' ? start : start + put.length);
        return Buffer.concat([bytes.subarray(0, start), Buffer.from(how === 'remove' ? '' : put, 'latin1'), rest]);
      },
      Buffer.from(text, 'latin1'),
    ),
  );
};

/** Sends bytes. Returns how many were sent, and how many answers came. */
async function sendBytes(): Promise<{ sent: number; answers: number }> {
  let answers = 0;
  const sendOne = async (bytes: Buffer): Promise<void> => {
    let rest = await wire.send(bytes);
    while (rest.length > 0) {
      const parsed = parseResponse(rest, 'GET');
      if (!parsed) throw new Error(`an answer that is cut short: ${rest.toString()}`);
      demandContract('GET', parsed.response);
      answers++;
      ({ rest } = parsed);
    }
  };
  return { sent: await fuzz(brokenBytes(), sendOne, { cases: 1_500, rounds: 1, atOnce: AT_ONCE }), answers };
}

test('bytes that are hardly HTTP are answered by the contract as well, or not at all', () => {
  const { sent, answers } = outcomeOf(played.bytes);
  expect(answers / sent).toBeGreaterThan(0.5);
});

test('afterwards the process runs still, and has nothing to complain of', () => {
  expect({ running: played.running, last: waybill.stdout.slice(-5) }).toMatchObject({ running: true });
  expect(waybill.complaints()).toEqual([]);
});

test('afterwards the engine takes an order as before', () => {
  expect(outcomeOf(played.order)).toMatchObject({ status: 201, body: { status: 'CONFIRMED' } });
});

test('afterwards the books of orders, stock and shipments agree', () => {
  expect(outcomeOf(played.disagreements)).toEqual([]);
});

test('afterwards it stops as it should', () => {
  expect(played.end).toEqual({ code: 0, signal: null });
});
