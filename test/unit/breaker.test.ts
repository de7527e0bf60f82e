/** The breaker before a peer: opens when the peer fails or hangs, whether or not the peer was replaced meanwhile. */
import { expect, test } from '@jest/globals';
import type { BrokerOptions, ServiceBroker, ServiceSchema } from 'moleculer';
import { OrderPending } from '../../machines/order/order.failures.ts';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { programBroker } from '../support/broker.ts';
import { eventually } from '../support/eventually.ts';

/** The calls that open a breaker when all fail, and some more than that. */
const OPENING = 20;
const CALLS = 25;

type Answer = () => Promise<unknown>;
const away: Answer = () => Promise.reject(new ServiceUnavailable('away'));
const fine: Answer = () => Promise.resolve('fine');
const hang: Answer = () => new Promise<never>(() => undefined);

/** A broker with the program's own options, and the breaker's changed where a test cannot wait. */
function newBroker(nodeID: string, breaker: BrokerOptions['circuitBreaker'] = {}, more: BrokerOptions = {}) {
  return programBroker({ NODEID: nodeID }, ({ circuitBreaker }) => ({
    circuitBreaker: { ...circuitBreaker, ...breaker },
    tracking: { enabled: false },
    ...more,
  }));
}

/** What the breakers of a broker tell. */
function newsOf(broker: ServiceBroker): string[] {
  const news: string[] = [];
  for (const state of ['opened', 'half-opened', 'closed'])
    broker.localBus.on(`$circuit-breaker.${state}`, () => void news.push(state));
  return news;
}

const peerThat = (ask: Answer): ServiceSchema =>
  defineService<object>({ name: 'peer', actions: { ask: { access: [], handler: ask } } });

/** A broker with a peer whose behaviour the test sets. */
async function peer(first: Answer, breaker?: BrokerOptions['circuitBreaker']) {
  const broker = newBroker('breaker', breaker);
  let answer = first;
  let reached = 0;
  const schema = (): ServiceSchema =>
    peerThat(() => {
      reached++;
      return answer();
    });
  broker.createService(schema());
  await broker.start();
  return {
    broker,
    news: newsOf(broker),
    ask: () => broker.call('peer.ask', {}, { timeout: 20 }).catch((error: unknown) => error),
    reached: () => reached,
    now: (next: Answer): void => {
      answer = next;
    },
    replace: async (): Promise<void> => {
      const service = broker.getLocalService('peer');
      if (service) await broker.destroyService(service);
      broker.createService(schema());
      await broker.waitForServices('peer', 10_000, 10);
    },
  };
}

async function askOften(ask: () => Promise<unknown>, times = CALLS): Promise<void> {
  for (let i = 0; i < times; i++) await ask();
}

/** A peer whose breaker has opened and lets the next call through as a trial. */
async function halfOpenPeer() {
  const opened = await peer(away, { halfOpenTime: 250 });
  await askOften(opened.ask, OPENING);
  await eventually(() => expect(opened.news).toEqual(['opened', 'half-opened']));
  return opened;
}

const NOT_AVAILABLE = { type: 'SERVICE_NOT_AVAILABLE' };

test.each([
  ['hangs', hang],
  ['says it is unavailable', away],
])('a peer that %s is not called any more after 20 calls', async (_, answer) => {
  const { ask, reached, news } = await peer(answer);
  await askOften(ask);
  expect(reached()).toBe(OPENING);
  expect(await ask()).toMatchObject(NOT_AVAILABLE);
  expect(news).toEqual(['opened']);
});

test('a refusal by a peer is not counted as a failure', async () => {
  const { ask, reached, now } = await peer(() => Promise.reject(new OrderPending('waits')));
  await askOften(ask);
  expect(reached()).toBe(CALLS);
  now(away);
  await askOften(ask, OPENING - 1);
  expect(await ask()).toMatchObject({ type: 'SERVICE_UNAVAILABLE' });
  expect(await ask()).toMatchObject(NOT_AVAILABLE);
});

test('a peer that fails less than half of its calls stays in use', async () => {
  const { ask, reached, now } = await peer(fine);
  await askOften(ask);
  now(away);
  await askOften(ask, CALLS - 1);
  expect(reached()).toBe(2 * CALLS - 1);
  await ask();
  expect(await ask()).toMatchObject(NOT_AVAILABLE);
});

test('failures further apart than the window do not add up', async () => {
  const { ask, news } = await peer(hang, { minRequestCount: 2, windowTime: 0.01 });
  await askOften(ask, 5);
  expect(news).toEqual([]);
});

test.each([
  ['works', fine],
  ['ends with an unwelcome answer', (): Promise<never> => Promise.reject(new OrderPending('waits'))],
])('a trial that %s closes the breaker', async (_, answer) => {
  const { ask, reached, news, now } = await halfOpenPeer();
  now(answer);
  await askOften(ask);
  expect(news).toEqual(['opened', 'half-opened', 'closed']);
  expect(reached()).toBe(OPENING + CALLS);
});

test('a trial that fails opens the breaker again', async () => {
  const { ask, reached, news, now } = await halfOpenPeer();
  expect(await ask()).toMatchObject({ type: 'SERVICE_UNAVAILABLE' });
  expect(await ask()).toMatchObject(NOT_AVAILABLE);
  expect(reached()).toBe(OPENING + 1);
  expect(news).toEqual(['opened', 'half-opened', 'opened']);
  now(fine);
  await eventually(async () => expect(await ask()).toBe('fine'));
});

test('one call is the trial, and the others are held back until it ends', async () => {
  const { ask, reached, now } = await halfOpenPeer();
  now(hang);
  const [trial, ...others] = await Promise.all(Array.from({ length: 5 }, ask));
  expect(trial).toMatchObject({ type: 'REQUEST_TIMEOUT' });
  for (const other of others) expect(other).toMatchObject(NOT_AVAILABLE);
  expect(reached()).toBe(OPENING + 1);
});

test('a trial that takes too long is followed by another', async () => {
  const { broker, now, news } = await halfOpenPeer();
  const trials: ((answer: string) => void)[] = [];
  now(() => new Promise((end) => void trials.push(end)));
  const calls: Promise<unknown>[] = [];
  await eventually(() => {
    calls.push(broker.call('peer.ask').catch(() => 'kept back'));
    expect(trials).toHaveLength(2);
  });
  expect(news).toEqual(['opened', 'half-opened', 'half-opened']);
  for (const end of trials) end('fine');
  expect((await Promise.all(calls)).filter((answer) => answer === 'fine')).toHaveLength(2);
  expect(news.at(-1)).toBe('closed');
});

test('the breaker of a replaced peer works, too', async () => {
  const { ask, reached, replace, now } = await peer(fine);
  await ask();
  await replace();
  now(away);
  await askOften(ask);
  expect(reached()).toBe(1 + OPENING);
  expect(await ask()).toMatchObject(NOT_AVAILABLE);
});

test('a peer that was replaced behind an open breaker is called at once, and shows as closed', async () => {
  const { ask, replace, news, now } = await peer(away);
  await askOften(ask);
  await replace();
  now(fine);
  expect(await ask()).toBe('fine');
  expect(news).toEqual(['opened', 'closed']);
});

test('calls that outlive their peer do not count against its successor', async () => {
  const { ask, replace, news, now } = await peer(hang);
  const hanging = Array.from({ length: CALLS }, ask);
  await replace();
  now(fine);
  for (const error of await Promise.all(hanging)) expect(error).toMatchObject({ type: 'REQUEST_TIMEOUT' });
  expect(await ask()).toBe('fine');
  expect(news).toEqual([]);
});

test('a node that comes back under its name is called at once, and kept from calls when it fails again', async () => {
  const mesh: BrokerOptions = { namespace: 'breaker', transporter: 'Fake' };
  const caller = newBroker('caller', {}, mesh);
  const startNode = async (ask: Answer): Promise<ServiceBroker> => {
    const node = newBroker('restarted', {}, mesh);
    node.createService(peerThat(ask));
    await node.start();
    await caller.waitForServices('peer', 10_000, 10);
    return node;
  };
  await caller.start();
  const ask = (): Promise<unknown> => caller.call('peer.ask').catch((error: unknown) => error);
  const news = newsOf(caller);
  for (const closings of [0, 1]) {
    const node = await startNode(away);
    await askOften(ask);
    expect(await ask()).toMatchObject(NOT_AVAILABLE);
    expect(news).toEqual(closings === 0 ? ['opened'] : ['opened', 'closed', 'opened']);
    await node.stop();
    await eventually(() => expect(caller.registry.hasService('peer', 'restarted')).toBe(false));
  }
  await startNode(fine);
  expect(await ask()).toBe('fine');
});
