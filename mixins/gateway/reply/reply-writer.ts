/** Writes replies and failures to the wire. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PayloadTooLarge } from '../gateway.failures.ts';
import type { Failure } from '../../../machines/shared/failure.ts';
import { answerHeaders, type Headers, REVALIDATED } from './answer-headers.ts';
import { isUnchanged } from '../request/conditional.ts';
import type { Reply } from '../routes/endpoint.ts';
import { failureBody } from './failure-reply.ts';
import { shownAs } from './failure-table.ts';
import { stringifyWithMoney } from './money-json.ts';

/** The rest of a refused request is read, so that its connection can be used again, when it is no longer than this. */
const WORTH_READING_BYTES = 65_536;
/** How long the rest of an unwanted body is read, so that the caller sees our answer rather than a reset. */
const LINGER_MS = 1_000;

export interface WriteOptions {
  requestID: string;
  /** What CORS adds to every answer of this request. */
  cors?: Headers;
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
  options: WriteOptions,
): Promise<void> {
  const headers = beginning(options);
  if (reply.etag !== undefined) {
    headers.ETag = `"${reply.etag}"`;
    headers['Cache-Control'] = REVALIDATED;
  }
  Object.assign(headers, reply.headers);
  if (reply.etag !== undefined && isStillTrue(request, reply.etag)) response.writeHead(304, headers).end();
  else if (reply.body === undefined) response.writeHead(reply.status, headers).end();
  else if (reply.body instanceof Readable) await writeStream(request, response, reply.status, headers, reply.body);
  else writeText(request, response, reply.status, headers, textOf(reply.body, headers, options));
}

/** Sends a failure as `{error, message, …}`. */
export function writeFailure(
  request: IncomingMessage,
  response: ServerResponse,
  failure: Failure,
  options: WriteOptions & { headers?: Headers },
): void {
  const { status } = shownAs(failure);
  const headers = beginning(options);
  headers['X-Error-Type'] = failure.type;
  Object.assign(headers, options.headers);
  const pause = failure.retryAfterSeconds ?? (status === 503 || status === 429 ? 1 : undefined);
  if (pause !== undefined) headers['Retry-After'] = pause;
  if (failure.data.replayed === true) headers['Idempotent-Replayed'] = 'true';
  const close = options.close || failure instanceof PayloadTooLarge || isLongUnread(request);
  if (close) headers.Connection = 'close';
  const text = textOf(failureBody(failure), headers, options);
  if (close && !request.complete) writeAndLinger(request, response, status, headers, text);
  else writeText(request, response, status, headers, text);
}

/** Whether the caller has what it asks for already. */
function isStillTrue({ method, headers }: IncomingMessage, etag: string): boolean {
  return (method === 'GET' || method === 'HEAD') && isUnchanged(headers['if-none-match'], etag);
}

function beginning({ requestID, cors, close }: WriteOptions): Headers {
  const headers = answerHeaders(requestID);
  if (cors) Object.assign(headers, cors);
  if (close) headers.Connection = 'close';
  return headers;
}

/** Answers OPTIONS: what is allowed here, and nothing else. */
export function writeAllowed(response: ServerResponse, allowed: Headers, options: WriteOptions): void {
  response.writeHead(204, Object.assign(beginning(options), allowed)).end();
}

function isLongUnread({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > WORTH_READING_BYTES;
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
