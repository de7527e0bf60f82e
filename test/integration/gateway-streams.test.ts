/** Streamed answers: begun at once, sent as data arrives, ended when the caller disconnects. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { WithGateway } from '../../mixins/gateway/gateway.types.ts';
import { gatewayMixin } from '../../mixins/gateway/gateway.mixin.ts';
import { route } from '../../mixins/gateway/routes/endpoint.ts';
import { plainBroker } from '../support/broker.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/gateway.ts';
import { httpSettings } from '../support/http-settings.ts';

let port: number;
/** The next result of the action. */
let news: PassThrough;

beforeAll(async () => {
  const broker = plainBroker();
  const headers = { 'Content-Type': 'text/event-stream' };
  const gateway = broker.createService({
    name: 'door',
    mixins: [
      gatewayMixin({
        settings: () => httpSettings(),
        groups: [
          {
            name: 'news',
            path: '/',
            endpoints: [
              route<Readable>('GET /news', 'news.follow', { reply: (body) => ({ status: 200, headers, body }) }),
            ],
          },
        ],
      }),
    ],
  });
  broker.createService({ name: 'news', actions: { follow: () => Promise.resolve(news) } });
  await broker.start();
  port = (gateway as unknown as WithGateway).http.address.port;
});
beforeEach(() => {
  news = new PassThrough();
});

async function follow(): Promise<IncomingMessage> {
  const [answer] = (await once(get({ host: '127.0.0.1', port, path: '/news' }), 'response')) as [IncomingMessage];
  return answer;
}

test('the headers are sent before there is a body', async () => {
  const answer = await follow();
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/event-stream']);
  expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  expect(answer.headers['x-request-id']).toBeDefined();
  answer.destroy();
});

test('each chunk is sent as it arrives, until the end', async () => {
  const answer = await follow();
  const pieces = answer.setEncoding('utf8').iterator();
  for (const piece of ['data: 1\n\n', 'data: 2\n\n']) {
    news.write(piece);
    expect((await pieces.next()).value).toBe(piece);
  }
  news.end();
  expect((await pieces.next()).done).toBe(true);
  expect(answer.complete).toBe(true);
});

test('a caller that disconnects ends the stream', async () => {
  const answer = await follow();
  answer.destroy();
  await eventually(() => expect(news.destroyed).toBe(true));
});

test('a stream that fails cuts its answer off, so that nobody mistakes it for complete', async () => {
  const answer = await follow();
  const broken = once(answer.resume(), 'error');
  news.write('data: 1\n\n');
  news.destroy(new Error('the source is gone'));
  await broken;
  expect(answer.complete).toBe(false);
});

test('HEAD is answered with the headers, without reading the stream', async () => {
  const answer = await send('HEAD', '/news', { port });
  expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, 'text/event-stream', '']);
  expect(news.destroyed).toBe(true);
});
