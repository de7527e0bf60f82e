/** Server-sent events as they are written, and what becomes of a reader that does not read. */
import { expect, jest, test } from '@jest/globals';
import { SseStream } from '../../mixins/gateway/stream/sse.ts';
import { afterTheTest } from '../support/endings.ts';

function newStream(cutOff?: () => void): SseStream {
  const stream = new SseStream(cutOff);
  afterTheTest(() => stream.destroy());
  return stream;
}

test('a message is its id, its event and one line of data; a mark is an id without a message', () => {
  const stream = newStream();
  stream.mark('7-1');
  stream.send({ id: 8, event: 'SHIP', data: { note: 'two\nlines' } });
  expect(String(stream.read())).toBe('id: 7-1\n\nid: 8\nevent: SHIP\ndata: {"note":"two\\nlines"}\n\n');
});

test('a reader that does not read is cut off once a megabyte waits for it', () => {
  let cutOff = 0;
  const stream = newStream(() => cutOff++);
  const data = 'x'.repeat(100_000);
  for (let id = 1; id <= 10; id++) stream.send({ id, event: 'SHIP', data });
  expect([stream.open, cutOff]).toEqual([true, 0]);
  for (let id = 11; id <= 30; id++) stream.send({ id, event: 'SHIP', data });
  expect([stream.open, stream.destroyed, cutOff]).toEqual([false, true, 1]);
});

test('a reader that reads is never cut off', () => {
  const stream = newStream();
  const data = 'x'.repeat(100_000);
  for (let id = 1; id <= 100; id++) {
    stream.send({ id, event: 'SHIP', data });
    stream.read();
  }
  expect(stream.open).toBe(true);
});

test('a comment comes at least every 15 s, and none after the end', () => {
  jest.useFakeTimers();
  try {
    const stream = newStream();
    jest.advanceTimersByTime(15_000);
    expect(String(stream.read())).toBe(':\n\n');
    stream.end();
    jest.advanceTimersByTime(60_000);
    expect(stream.read()).toBeNull();
  } finally {
    jest.useRealTimers();
  }
});
