/** The breaker before a peer: opens when the peer fails or hangs, whether or not the peer was replaced meanwhile. */
import { afterEach, expect, test } from '@jest/globals';
import { ServiceBroker, type ServiceSchema } from 'moleculer';
import { OrderPending, ServiceUnavailable } from '../../machines/errors.ts';
import { brokerOptions } from '../../mixins/runtime/broker-options.ts';
import { readSettings } from '../../mixins/settings.ts';

const CALLS = 25;
const brokers: ServiceBroker[] = [];
afterEach(() => Promise.all(brokers.splice(0).map((broker) => broker.stop())));

/** A broker with the program's own options, and a peer that does what it is told. */
async function peer(answer: () => Promise<unknown>) {
  const broker = new ServiceBroker({
    ...brokerOptions({ ...readSettings({}), nodeID: 'breaker' }),
    tracking: { enabled: false },
    logger: false,
  });
  brokers.push(broker);
  let reached = 0;
  const schema = (): ServiceSchema => ({
    name: 'peer',
    actions: {
      ask() {
        reached++;
        return answer();
      },
    },
  });
  broker.createService(schema());
  await broker.start();
  return {
    ask: () => broker.call('peer.ask', {}, { timeout: 20 }).catch((error: unknown) => error),
    reached: () => reached,
    replace: async (): Promise<void> => {
      const service = broker.getLocalService('peer');
      if (service) await broker.destroyService(service);
      broker.createService(schema());
      await broker.waitForServices('peer');
    },
  };
}

async function askOften(ask: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < CALLS; i++) await ask();
}

test.each([
  ['hangs', () => new Promise<never>(() => undefined)],
  ['says it is unavailable', () => Promise.reject(new ServiceUnavailable('away'))],
])('a peer that %s is not called any more after 20 calls', async (_, answer) => {
  const { ask, reached } = await peer(answer);
  await askOften(ask);
  expect(reached()).toBe(20);
  expect(await ask()).toMatchObject({ type: 'SERVICE_NOT_AVAILABLE' });
});

test('a peer whose answer is unwelcome is not failing', async () => {
  const { ask, reached } = await peer(() => Promise.reject(new OrderPending('waits')));
  await askOften(ask);
  expect(reached()).toBe(CALLS);
});

test('a peer that was replaced has a breaker that works, too', async () => {
  let works = true;
  const { ask, reached, replace } = await peer(() =>
    works ? Promise.resolve() : Promise.reject(new ServiceUnavailable('away')),
  );
  await ask();
  await replace();
  works = false;
  await askOften(ask);
  expect(reached()).toBeLessThanOrEqual(21);
});
