/** With LOG_FORMAT=json, everything a process prints is one JSON object a line that says what it is about. */
import { expect, test } from '@jest/globals';
import { about, FormattedLogger } from '../../mixins/process/log-format.ts';
import { plainBroker } from '../support/broker.ts';
import { createDatabase } from '../support/postgres.ts';
import { spawnWaybill, startWaybill } from '../support/waybill.ts';

interface Line extends Record<string, unknown> {
  time: string;
  level: string;
  message: string;
}

const parsed = (lines: readonly string[]): Line[] => lines.map((line) => JSON.parse(line) as Line);

test('from the start to the stop, every line is an object, and that of a request has its ID', async () => {
  const env = { DATABASE_URL: await createDatabase(), LOG_FORMAT: 'json', LOGLEVEL: 'debug' };
  const waybill = await startWaybill({ env });
  const { status } = await fetch(`${waybill.url}/api/v1/orders/1`, { headers: { 'X-Request-ID': 'request-7' } });
  await waybill.kill('SIGTERM');

  const lines = parsed([...waybill.stdout, ...waybill.stderr]);
  for (const line of lines) {
    expect(line).toMatchObject({ level: expect.any(String), message: expect.any(String), node_id: waybill.nodeID });
    expect(new Date(line.time).toISOString()).toBe(line.time);
  }
  const request = lines.find(({ request_id: id }) => id === 'request-7');
  expect(request).toMatchObject({ level: 'debug', module: 'api', status, duration_ms: expect.any(Number) });
});

test('a start that fails ends with an object too', async () => {
  const waybill = await spawnWaybill({ env: { LOG_FORMAT: 'json', PORT: 'none' } });
  await waybill.exited;
  const [line, ...more] = parsed(waybill.stderr);
  expect(line).toMatchObject({ level: 'fatal', message: expect.stringContaining('PORT=none cannot be used') });
  expect(more).toEqual([]);
});

/** What each format prints for a line with fields and an error. */
function printed(format: 'text' | 'json'): string {
  const logger = new FormattedLogger({ logFormat: format, logLevel: 'info' });
  logger.init({ broker: plainBroker() } as never);
  const write = logger.getFormatter({ nodeID: 'node-1', ns: '', mod: 'orders' });
  return write('warn', ['Order failed:', new Error('no\nroute'), about({ order_id: '7' })]).join(' ');
}

test('an error and the fields of a line are members of its object', () => {
  expect(JSON.parse(printed('json'))).toMatchObject({
    level: 'warn',
    module: 'orders',
    message: 'Order failed: no\nroute',
    order_id: '7',
    error: { type: 'Error', message: 'no\nroute', stack: expect.stringContaining('log-format.test') },
  });
});

test('a line of text shows no fields, and stays one line', () => {
  expect(printed('text')).toMatch(/^\[.+\] WARN .*node-1\/ORDERS: Order failed: Error: no \| route \|.*[^ ]$/);
});
