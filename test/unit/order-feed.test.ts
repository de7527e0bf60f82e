/** The source of a process's streams: one reading at a time, whoever comes and goes meanwhile. */
import { expect, test } from '@jest/globals';
import { OrderFeed } from '../../services/api/engine/order-feed.ts';
import type { FeedEntry, FeedPage, FeedPosition, FeedRequest } from '../../services/orders/orders.types.ts';
import { afterTheTest } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';

const position = (txid: number): FeedPosition => ({ txid: String(txid), position: 0, line: 0, atMs: 1 });
const entry = (txid: number): FeedEntry => ({ position: position(txid), orderId: txid }) as FeedEntry;

/** A feed whose answers come when the test says so. */
function held() {
  const asked: { request: FeedRequest; answer: (page: FeedPage) => void }[] = [];
  const feed = new OrderFeed((request) => new Promise((answer) => asked.push({ request, answer })), {
    debug: () => undefined,
  });
  afterTheTest(() => feed.close());
  return { feed, asked };
}

test('a reading that was ended while it waited neither answers those who follow now nor goes on', async () => {
  const { feed, asked } = held();
  const first = feed.follow(() => undefined);
  asked[0]?.answer({ entries: [], next: position(1), more: true });
  const end = await first;
  await eventually(() => expect(asked).toHaveLength(2));
  end();
  const seen: number[] = [];
  const second = feed.follow(({ orderId }) => void seen.push(orderId));
  expect(asked[2]?.request).toEqual({});
  // The answer of the ended reading comes late, with what was committed before.
  asked[1]?.answer({ entries: [entry(2)], next: position(2), more: true });
  asked[2]?.answer({ entries: [], next: position(5), more: true });
  await second;
  await eventually(() => expect(asked).toHaveLength(4));
  expect(asked[3]?.request).toEqual({ after: position(5) });
  asked[3]?.answer({ entries: [entry(6)], next: position(6), more: false });
  await eventually(() => expect(seen).toEqual([6]));
  expect(asked).toHaveLength(4);
});

test('while there is more, it is read at once', async () => {
  const { feed, asked } = held();
  const began = performance.now();
  const followed = feed.follow(() => undefined);
  for (let page = 0; page < 20; page++) {
    await eventually(() => expect(asked).toHaveLength(page + 1));
    asked[page]?.answer({ entries: [], next: position(page + 1), more: true });
  }
  await followed;
  expect(performance.now() - began).toBeLessThan(5_000);
});

test('whoever begins to follow while the feed cannot be read is told so, and nothing goes on for nobody', async () => {
  let reads = 0;
  const feed = new OrderFeed(
    () => {
      reads++;
      return Promise.reject(new Error('away'));
    },
    { debug: () => undefined },
  );
  await expect(feed.follow(() => undefined)).rejects.toThrow('away');
  expect([reads, feed.position]).toEqual([1, undefined]);
});
