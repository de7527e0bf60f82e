/** Calls every callable action with params that its rules allow, and with ones broken in every way. */
import { Readable } from 'node:stream';
import { beforeAll, expect, test } from '@jest/globals';
import fc, { type Arbitrary } from 'fast-check';
import { InternalError, ValidationFailed } from '../../machines/shared/failure.ts';
import { toFailure } from '../../mixins/gateway/reply/failure-reply.ts';
import { shownAs } from '../../mixins/gateway/reply/failure-table.ts';
import { type Attempt, attempt, outcomeOf } from '../support/attempt.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { sometimesBroken } from '../support/fuzz/breaking.ts';
import { demandFitForCallers, demandUnpolluted } from '../support/fuzz/demands.ts';
import { validParams } from '../support/fuzz/from-schema.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';
import { growthOf, reachableBytes } from '../support/fuzz/memory.ts';
import { poisonInside, poisonText } from '../support/fuzz/poison.ts';
import { disagreements, hintsOf, openShop, orderOf, type Send, type Shop } from '../support/fuzz/shop.ts';

const CASES = 2_000;
const ROUNDS = 10;
const AT_ONCE = 24;
/** How much more may be reachable at the end than in the middle. */
const GROWTH_BYTES = 16 * 1_048_576;

interface Call {
  action: string;
  params: unknown;
  meta: Record<string, unknown>;
  requestID: string | undefined;
}

interface Listed {
  name: string;
  action: { params?: object };
}

/** How often an action was called, and how that ended. */
interface Tally {
  calls: number;
  resolved: number;
  invalid: number;
  refused: number;
}

let engine: Engine;
let shop: Shop;
let actions: Listed[];
const tallies = new Map<string, Tally>();
let played: Attempt<{ sent: number; bytes: number[] }>;
const send: Send = (method, path, body) => engine.send<unknown>(method, path, { body });

beforeAll(async () => {
  // Generous, so that a slow machine does not look like an outage.
  engine = await startEngine({ env: { CALL_TIMEOUT: '5s', ORDER_LEASE: '12s' } });
  shop = await openShop(send);
  actions = engine.broker.registry.getActionList({ onlyLocal: true, skipInternal: true }) as unknown as Listed[];
  for (const { name } of actions) tallies.set(name, { calls: 0, resolved: 0, invalid: 0, refused: 0 });
  played = await attempt(callActions());
}, 240_000);

function callsOf({ name, action }: Listed): Arbitrary<Call> {
  const valid = validParams(action.params, name.split('.')[0] as string, hintsOf(shop));
  return fc.record({
    action: fc.constant(name),
    params: sometimesBroken(valid, poisonInside),
    meta: fc.oneof(
      { weight: 6, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: fc.record({ idempotencyKey: fc.constantFrom('key-1', 'key-2', 'key-3') }) },
      { weight: 1, arbitrary: fc.record({ idempotencyKey: poisonInside }) },
    ),
    requestID: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, poisonText),
  });
}

async function judge({ action, params, meta, requestID }: Call): Promise<void> {
  const tally = tallies.get(action) as Tally;
  tally.calls++;
  try {
    const answer: unknown = await engine.broker.call(action, params as object, {
      meta: { ...meta },
      requestID,
      timeout: 30_000,
    });
    if (answer instanceof Readable) answer.destroy();
    tally.resolved++;
  } catch (error) {
    const failure = toFailure(error);
    if (failure instanceof ValidationFailed) tally.invalid++;
    else tally.refused++;
    const cause = failure instanceof InternalError ? String((error as Error).stack) : '';
    const text = JSON.stringify({ message: failure.message, data: failure.data, cause });
    demandFitForCallers({ status: shownAs(failure).status, type: failure.type, message: failure.message, text });
  }
}

/** Calls every action in every way; answers how many calls there were, and what was reachable after each round. */
async function callActions(): Promise<{ sent: number; bytes: number[] }> {
  const bytes: number[] = [];
  const sent = await fuzz(fc.oneof(...actions.map(callsOf)), judge, {
    cases: CASES,
    rounds: ROUNDS,
    atOnce: AT_ONCE,
    afterRound() {
      demandUnpolluted();
      engine.calls.length = 0;
      bytes.push(reachableBytes());
    },
  });
  return { sent, bytes };
}

test('no action fails for a reason of its own, whatever it is called with', () => {
  const { sent, bytes } = outcomeOf(played);
  expect(sent).toBeGreaterThanOrEqual(CASES * ROUNDS);
  expect(growthOf(bytes)).toBeLessThan(GROWTH_BYTES);
});

test('every action was both refused and let through', () => {
  const total = { calls: 0, resolved: 0, invalid: 0 };
  for (const { name, action } of actions) {
    const { calls, resolved, invalid } = tallies.get(name) as Tally;
    total.calls += calls;
    total.resolved += resolved;
    total.invalid += invalid;
    expect({ name, resolved: resolved > 0 }).toEqual({ name, resolved: true });
    expect({ name, refused: action.params === undefined || invalid > 0 }).toEqual({ name, refused: true });
  }
  expect(total.resolved / total.calls).toBeGreaterThan(0.1);
  expect(total.invalid / total.calls).toBeGreaterThan(0.2);
});

test('afterwards the engine takes an order as before', async () => {
  const [, pot] = shop.products;
  expect(await send('POST', '/orders', orderOf(77_777, pot as number))).toMatchObject({
    status: 201,
    body: { status: 'CONFIRMED' },
  });
});

test('afterwards the books of orders, stock and shipments agree', async () => {
  expect(await disagreements(send)).toEqual([]);
});
