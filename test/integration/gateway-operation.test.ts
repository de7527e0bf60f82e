/** The gateway as its operator sees it: probes, metrics, start and stop. */
import { EventEmitter, once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { WithGateway } from '../../mixins/gateway/gateway.types.ts';
import { StartRefused } from '../../mixins/process/refusal.ts';
import { apiService } from '../../services/api/api.service.ts';
import { eventually } from '../support/eventually.ts';
import {
  gateway,
  get,
  ORDER,
  ORDER_BODY,
  peers,
  post,
  send,
  STAND_INS,
  startGateway,
  useGateway,
} from '../support/gateway.ts';
import { plainBroker } from '../support/broker.ts';

useGateway();

describe('operation', () => {
  test('a live gateway says so, to probes with any query', async () => {
    const answer = await send('GET', '/health/live?probe=1');
    expect([answer.status, answer.json]).toEqual([200, { status: 'live' }]);
  });

  test('ready means that orders answers', async () => {
    expect((await send('GET', '/health/ready')).json).toEqual({ status: 'ready' });
    peers.next = () => {
      throw new Error('no database');
    };
    // Probes share an answer for a moment.
    await eventually(async () => {
      const answer = await send('GET', '/health/ready');
      expect([answer.status, answer.json.status, answer.json.missing]).toEqual([503, 'unready', ['orders']]);
    });
  });

  test('without any peer the gateway is live, not ready, and answers 503', async () => {
    const alone = await startGateway([]);
    expect((await send('GET', '/health/live', alone)).status).toBe(200);
    expect((await send('GET', '/health/ready', alone)).json.missing).toEqual(['orders']);
    const answer = await send('GET', '/api/v1/orders/7', alone);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  });

  test('requests are counted and timed by route, never by path', async () => {
    await get('/orders/8123456789012345');
    await get('/nothing-8123456789012345');
    const { text, headers } = await send('GET', '/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toMatch(
      /^waybill_http_requests_total\{method="GET",route="\/api\/v1\/orders\/\{id\}",status="200"\} \d+$/m,
    );
    expect(text).toMatch(/^waybill_http_requests_total\{method="GET",route="unmatched",status="404"\} \d+$/m);
    expect(text).toMatch(/^# TYPE waybill_http_request_duration_seconds histogram$/m);
    expect(text).toMatch(/^waybill_http_request_duration_seconds_bucket\{.*le="\+Inf"\} \d+$/m);
    expect(text).toMatch(/^waybill_http_request_duration_seconds_sum\{.*\} [\d.]+$/m);
    expect(text).toMatch(/^process_memory_rss \d+$/m);
    // Longer than any figure of a process comes to be.
    expect(text).not.toMatch(/8123456789012345|^os_/m);
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) .+|[a-zA-Z_:][\w:]*(\{.*\})? (NaN|[-+\d.e]+))$/);
    }
  });

  test('a taken port ends the start with one line that names it', async () => {
    const service = plainBroker().createService(apiService());
    const { http } = service as unknown as WithGateway;
    const refusal = await http.listen(gateway.port, '127.0.0.1').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StartRefused);
    expect((refusal as Error).message).toContain(`PORT=${gateway.port}`);
  });

  test('an action that goes on failing closes the door to no other', async () => {
    peers.next = () => {
      throw new Error('out of order');
    };
    for (let i = 0; i < 60; i++) await get('/orders/7');
    peers.next = undefined;
    expect([(await get('/inventory')).status, (await send('GET', '/health/live')).status]).toEqual([200, 200]);
  });

  test('a stop accepts nobody new, finishes what is in flight, and closes kept connections', async () => {
    const calls = new EventEmitter();
    const arrived = once(calls, 'arrived');
    peers.next = async () => {
      const released = once(calls, 'released');
      calls.emit('arrived');
      await released;
      return { order: ORDER, etag: '4' };
    };
    const agent = new Agent({ keepAlive: true });
    const other = await startGateway(STAND_INS);
    const { http } = other.broker.getLocalService('api') as unknown as WithGateway;
    const inFlight = send('GET', '/api/v1/orders/7', { port: other.port, agent });
    await arrived;
    const closed = once(http.server, 'close');
    const stopped = other.stop();
    // The listening socket is gone before the answer is: `close` of the server comes only after it.
    await eventually(() => expect(http.server.listening).toBe(false));
    await expect(send('GET', '/health/live', { port: other.port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    calls.emit('released');
    const answer = await inFlight;
    expect([answer.status, answer.headers.connection]).toEqual([200, 'close']);
    await closed;
    await stopped;
    agent.destroy();
  });

  test('a connection that was opened in advance and says nothing does not hold up a stop', async () => {
    const other = await startGateway(STAND_INS);
    const silent = connect(other.port, '127.0.0.1');
    await once(silent, 'connect');
    await send('GET', '/health/live', { port: other.port });
    const began = performance.now();
    const closed = once(silent.resume(), 'close');
    await other.stop();
    await closed;
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('a caller that goes away in the middle of its body harms nobody', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(
      'POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"a"',
    );
    await once(socket, 'connect');
    socket.destroy();
    expect((await post('/orders', ORDER_BODY)).status).toBe(201);
  });
});
