/** The body reader: its memory is bounded by the size of a body, not by how the bytes arrive. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate as settled } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { readJsonObject } from '../../mixins/gateway/request/json-body.ts';
import { reachableBytes } from '../support/fuzz/memory.ts';

const MEBIBYTE = 1_048_576;
const NO_RESPONSE = {} as ServerResponse;

function request(): Readable {
  const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
  return Object.assign(new Readable({ read() {} }), { headers });
}

test('a body sent in single bytes takes no more memory than its size', async () => {
  const body = Buffer.from(`{"text":"${'x'.repeat(200_000)}"}`);
  const incoming = request();
  const read = readJsonObject(incoming as IncomingMessage, NO_RESPONSE, MEBIBYTE);
  const before = reachableBytes();
  for (let at = 0; at < body.length; at++) {
    incoming.push(body.subarray(at, at + 1));
    if (at % 1_000 === 0) await settled();
  }
  await settled();
  expect(reachableBytes() - before).toBeLessThan(4 * MEBIBYTE);
  incoming.push(null);
  expect(await read).toEqual(JSON.parse(body.toString()));
});

test.each([1, 1_023, 1_024, 1_025, 2_048, 5_000])('a body of %d chunks is read as it was sent', async (count) => {
  const body = JSON.stringify({ text: Array.from({ length: count }, (_, i) => String(i % 10)).join('') });
  const incoming = request();
  const read = readJsonObject(incoming as IncomingMessage, NO_RESPONSE, MEBIBYTE);
  const chunks = body.slice(0, count - 1).split('');
  for (const chunk of [...chunks, body.slice(chunks.length)]) incoming.push(Buffer.from(chunk));
  incoming.push(null);
  expect(await read).toEqual(JSON.parse(body));
});
