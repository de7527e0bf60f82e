/** The engine's own metrics: batches, open breakers, and gauges that are measured when they are read. */
import { expect, test } from '@jest/globals';
import { ServiceBroker } from 'moleculer';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import { countBatches } from '../../mixins/metrics/batch-metrics.ts';
import { OUTBOX_WAITING } from '../../mixins/metrics/metric-names.ts';
import { renderPrometheus } from '../../mixins/metrics/prometheus.ts';
import { collectGauges, onScrape } from '../../mixins/metrics/scrape.ts';
import { defineService } from '../../mixins/mesh/schema.ts';
import { programBroker } from '../support/broker.ts';

let broker: ServiceBroker;

function newBroker(): ServiceBroker {
  broker = programBroker({ NODEID: 'measured' });
  return broker;
}

const shown = (): string => renderPrometheus(broker.metrics);

const fail = (): never => {
  throw new ServiceUnavailable('away');
};

test('an open breaker shows as 1, and single calls are not measured', async () => {
  newBroker().createService(defineService<object>({ name: 'peer', actions: { ask: { access: [], handler: fail } } }));
  await broker.start();
  expect(shown()).not.toContain('waybill_breaker_open{');
  for (let i = 0; i < 20; i++) await expect(broker.call('peer.ask')).rejects.toThrow('away');
  expect(shown()).toContain('waybill_breaker_open{action="peer.ask",node="measured"} 1\n');
  expect(shown()).toMatch(/^process_memory_rss \d+$/m);
  expect(shown()).not.toMatch(/^moleculer_request_/m);
});

test('a breaker that closes again shows as 0', async () => {
  await newBroker().start();
  const news = { action: 'peer.ask', nodeID: 'measured' };
  for (const [state, value] of [
    ['opened', 1],
    ['half-opened', 1],
    ['closed', 0],
  ] as const) {
    await broker.broadcastLocal(`$circuit-breaker.${state}`, news);
    expect(shown()).toContain(`waybill_breaker_open{action="peer.ask",node="measured"} ${value}\n`);
  }
});

test('batches and their items are counted by stage, failed ones included', async () => {
  const { metrics } = newBroker();
  const good = countBatches(metrics, 'good', async (items: readonly number[]) => items);
  expect(await good([1, 2, 3])).toEqual([1, 2, 3]);
  await good([4]);
  const bad = countBatches(metrics, 'bad', () => Promise.reject(new Error('no')));
  await expect(bad([1, 2])).rejects.toThrow('no');
  expect(shown()).toContain('waybill_batches_total{stage="good"} 2\nwaybill_batches_total{stage="bad"} 1\n');
  expect(shown()).toContain('waybill_batch_items_total{stage="good"} 4\nwaybill_batch_items_total{stage="bad"} 2\n');
});

test('a gauge is measured when it is read, at most once in five seconds, and never after it is removed', async () => {
  newBroker().metrics.register({ type: 'gauge', name: OUTBOX_WAITING, labelNames: ['schema'] });
  let measured = 0;
  const end = onScrape(broker, async () => {
    measured += 1;
    broker.metrics.set(OUTBOX_WAITING, 7, { schema: 'orders' });
  });
  expect(measured).toBe(0);
  await Promise.all([collectGauges(broker), collectGauges(broker)]);
  await collectGauges(broker);
  expect(measured).toBe(1);
  expect(shown()).toContain('waybill_outbox_waiting{schema="orders"} 7\n');
  end();
  await collectGauges(broker);
  expect(measured).toBe(1);
});

test('a measurement that hangs delays the metrics by at most a second', async () => {
  newBroker();
  onScrape(broker, () => new Promise(() => {}));
  await collectGauges(broker);
  expect(shown()).toContain('process_memory_rss');
});
