/** A call that has timed out must not delay the stop of its caller. */
import { expect, test } from '@jest/globals';
import type { Context, ServiceBroker } from 'moleculer';
import { defineService } from '../../mixins/mesh/schema.ts';
import { programBroker } from '../support/broker.ts';
import { startNats } from '../support/nats.ts';

/** Well below the eight seconds that a stop waits for calls in flight. */
const PROMPTLY_MS = 2_000;

async function stopped(broker: ServiceBroker): Promise<number> {
  const at = performance.now();
  await broker.stop();
  return performance.now() - at;
}

test('calls that a peer never answered do not delay a stop once they have timed out', async () => {
  const nats = await startNats();
  const caller = programBroker({ TRANSPORTER: nats.url, NODEID: 'caller' });
  const peer = programBroker({ TRANSPORTER: nats.url, NODEID: 'peer' });
  let asked = 0;
  const hang = (): Promise<never> => {
    asked++;
    return new Promise<never>(() => undefined);
  };
  peer.createService(defineService<object>({ name: 'peer', actions: { hang: { access: [], handler: hang } } }));
  caller.createService(
    defineService<object>({
      name: 'shop',
      actions: { buy: { access: [], handler: (ctx: Context) => ctx.call('peer.hang', {}, { timeout: 200 }) } },
    }),
  );
  await Promise.all([caller.start(), peer.start()]);
  await caller.waitForServices('peer', 10_000);

  const calls = Array.from({ length: 5 }, () => caller.call('shop.buy'));
  for (const call of calls) await expect(call).rejects.toMatchObject({ type: 'REQUEST_TIMEOUT' });
  expect(asked).toBe(5);
  expect(await stopped(caller)).toBeLessThan(PROMPTLY_MS);
});
