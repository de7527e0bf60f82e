/** The registry of errors and its documentation are one. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as order from '../../machines/order/order.failures.ts';
import * as shared from '../../machines/shared/failure.ts';
import * as stock from '../../machines/stock/stock.failures.ts';
import * as auth from '../../mixins/auth/auth.failures.ts';
import * as gateway from '../../mixins/gateway/gateway.failures.ts';
import { FAILURES, restoreFailure, shownAs } from '../../mixins/gateway/reply/failure-table.ts';

const COLUMNS = /^\| `(\w+)` \| `(\w+)` \| (\d{3}) \| (yes|no) \| (.+) \|$/gm;

interface Row {
  name: string;
  type: string;
  code: number;
  retryable: boolean;
}

const documented: Row[] = [...readFileSync('docs/errors.md', 'utf8').matchAll(COLUMNS)].map((cells) => ({
  name: cells[1] as string,
  type: cells[2] as string,
  code: Number(cells[3]),
  retryable: cells[4] === 'yes',
}));

const registered = FAILURES.map((errorClass) => new errorClass('message', { orderId: 1 }));
const byName = (a: Row, b: Row) => a.name.localeCompare(b.name);

test('every error class is documented as it is, and every documented one exists', () => {
  const rows = registered.map((failure) => ({
    name: failure.name,
    type: failure.type,
    code: shownAs(failure).status,
    retryable: failure.retryable,
  }));
  expect(documented.toSorted(byName)).toEqual(rows.toSorted(byName));
});

test('every exported error class is registered', () => {
  const exported = [shared, order, stock, auth, gateway]
    .flatMap((room) => Object.entries(room))
    .filter(([name]) => name !== 'Failure')
    .filter(([, value]) => typeof value === 'function' && value.prototype instanceof shared.Failure)
    .map(([name]) => name);
  expect(registered.map((error) => error.name).toSorted()).toEqual(exported.toSorted());
});

test('no two error classes share a type', () => {
  expect(new Set(registered.map((error) => error.type)).size).toBe(registered.length);
});

test('an error that crossed the mesh as plain fields is restored by its type', () => {
  for (const error of registered) {
    const { type, message, data } = error;
    expect(restoreFailure(JSON.parse(JSON.stringify({ type, message, data })))).toEqual(error);
  }
  expect(restoreFailure({ type: 'SOMETHING_ELSE', message: 'x' })).toBeUndefined();
});

test('exactly the retryable errors say when to retry', () => {
  for (const error of registered) expect(error.retryAfterSeconds !== undefined).toBe(error.retryable);
});
