/** Writes replies and failures to the wire. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PayloadTooLarge, type WaybillError } from '../../machines/errors.ts';
import { isUnchanged } from './conditional.ts';
import type { Reply } from './endpoint.ts';
import { failureBody } from './error-answer.ts';
import { stringifyWithMoney } from './money-json.ts';

type Headers = Record<string, string | number>;

/** How long the rest of an unwanted body is read, so that the caller sees our answer rather than a reset. */
const LINGER_MS = 1_000;

export interface WriteOptions {
  /** Amounts of money are written with two decimals. */
  money?: boolean;
  /** The connection is closed after the answer. */
  close?: boolean;
}

/** Sends a reply; resolves when it is handed over, for a stream when it has ended. */
export async function writeReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  options: WriteOptions = {},
): Promise<void> {
  const headers: Headers = { ...reply.headers };
  if (options.close) headers.Connection = 'close';
  if (reply.etag !== undefined) {
    headers.ETag = `"${reply.etag}"`;
    const readOnly = request.method === 'GET' || request.method === 'HEAD';
    if (readOnly && isUnchanged(request.headers['if-none-match'], reply.etag)) {
      response.writeHead(304, headers).end();
      return;
    }
  }
  if (reply.body === undefined) response.writeHead(reply.status, headers).end();
  else if (reply.body instanceof Readable) await writeStream(request, response, reply.status, headers, reply.body);
  else writeText(request, response, reply.status, headers, textOf(reply.body, headers, options));
}

/** Sends a failure as `{error, message, …}`. */
export function writeFailure(
  request: IncomingMessage,
  response: ServerResponse,
  failure: WaybillError,
  options: WriteOptions & { headers?: Headers } = {},
): void {
  const headers: Headers = { ...options.headers, 'X-Error-Type': failure.type };
  const pause = failure.retryAfterSeconds ?? (failure.code === 503 || failure.code === 429 ? 1 : undefined);
  if (pause !== undefined) headers['Retry-After'] = pause;
  if (failure.data.replayed === true) headers['Idempotent-Replayed'] = 'true';
  const close = options.close || failure instanceof PayloadTooLarge;
  if (close) headers.Connection = 'close';
  const text = textOf(failureBody(failure), headers, options);
  if (close && !request.complete) writeAndLinger(request, response, failure.code, headers, text);
  else writeText(request, response, failure.code, headers, text);
}

function textOf(body: unknown, headers: Headers, options: WriteOptions): string {
  if (typeof body === 'string') return body;
  headers['Content-Type'] ??= 'application/json';
  return options.money ? stringifyWithMoney(body) : JSON.stringify(body);
}

function writeText(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Headers,
  text: string,
): void {
  headers['Content-Length'] = Buffer.byteLength(text);
  response.writeHead(status, headers);
  if (request.method === 'HEAD') response.end();
  else response.end(text);
}

// Closing a socket whose input is unread resets it, and a reset can overtake the answer.
function writeAndLinger(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Headers,
  text: string,
): void {
  headers['Content-Length'] = Buffer.byteLength(text);
  response.writeHead(status, headers).write(text);
  const finish = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.once('end', finish).once('close', finish).resume();
}

async function writeStream(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Headers,
  body: Readable,
): Promise<void> {
  response.writeHead(status, headers);
  if (request.method === 'HEAD') {
    body.destroy();
    response.end();
  } else await pipeline(body, response);
}
