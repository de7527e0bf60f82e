/** Checks an answer of the gateway against its contract, whatever was asked. */
import { demandFitForCallers } from './demands.ts';
import type { Response } from './wire.ts';

const STATUSES = new Set([
  200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 417, 422, 429, 431, 503,
]);
const RETRYABLE = new Set([429, 503]);

/** @throws Error that says what violates the contract */
export function demandContract(method: string, { status, headers, text }: Response): void {
  const demand = (holds: boolean, what: string): void => {
    if (!holds) throw new Error(`${status} ${what}: ${JSON.stringify(headers)} ${text.slice(0, 500)}`);
  };
  if (status >= 500 && status !== 503) throw new Error(`${status} ${text.slice(0, 500)}`);
  demand(STATUSES.has(status), 'is no status of the contract');
  demand((headers['x-request-id'] ?? '') !== '', 'names no request');
  if (method === 'HEAD' || status === 204 || status === 304) return;
  const isJson = headers['content-type'] === 'application/json';
  if (status < 400) {
    if (isJson) JSON.parse(text);
    return;
  }
  demand(isJson, 'is not JSON');
  const body = JSON.parse(text) as { error?: unknown; message?: unknown; details?: unknown };
  demand(typeof body.error === 'string' && body.error !== '', 'has no error');
  demand(typeof body.message === 'string', 'has no message');
  if (RETRYABLE.has(status)) demand(Number(headers['retry-after']) >= 1, 'does not say when to come back');
  if (status === 401) demand('www-authenticate' in headers, 'does not say how to authenticate');
  if (status === 405) demand((headers.allow ?? '') !== '', 'does not say what is allowed');
  if (body.details !== undefined) demand(areFaults(body.details), 'has details of another form');
  demandFitForCallers({ status, type: headers['x-error-type'] ?? '', message: body.message as string, text });
}

function areFaults(details: unknown): boolean {
  if (!Array.isArray(details) || details.length === 0) return false;
  return details.every((fault: unknown) => {
    const { field, type, message } = fault as Record<string, unknown>;
    return [field, type, message].every((part) => typeof part === 'string');
  });
}
