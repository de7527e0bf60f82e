/** Writes replies and failures as HTTP responses. */
import { Readable, pipeline } from 'node:stream';
import type { Failure } from '../../../machines/shared/failure.ts';
import { about } from '../../process/log-format.ts';
import { PayloadTooLarge } from '../gateway.failures.ts';
import type { GatewayRequest, GatewayResponse } from '../gateway.types.ts';
import { isUnchanged } from '../request/conditional.ts';
import type { Reply } from '../routes/endpoint.ts';
import { answerHeaders, type Headers, REVALIDATED } from './answer-headers.ts';
import { failureBody } from './failure-reply.ts';
import { shownAs } from './failure-table.ts';

/** Up to this size the rest of a refused request is read, so that its connection can be reused. */
const WORTH_READING_BYTES = 65_536;
/** How long the rest of an unwanted body is read, so that the caller receives our answer instead of a reset. */
const LINGER_MS = 1_000;

/** Sends a reply. For a stream the headers are sent at once, and the rest as it arrives. */
export function writeReply(request: GatewayRequest, response: GatewayResponse, reply: Reply): void {
  const headers = beginning(request);
  if (reply.etag !== undefined) {
    headers.ETag = `"${reply.etag}"`;
    headers['Cache-Control'] = REVALIDATED;
  }
  Object.assign(headers, reply.headers);
  const { body, status } = reply;
  if (reply.etag !== undefined && isStillTrue(request, reply.etag)) response.writeHead(304, headers).end();
  else if (body === undefined) response.writeHead(status, headers).end();
  else if (body instanceof Readable) writeStream(request, response, status, headers, body);
  else writeText(request, response, status, headers, textOf(request, response, body, headers));
}

/** moleculer-web's `onError`: sends a failure as `{error, message, …}`. A response that has already begun is cut off. */
export function writeFailure(request: GatewayRequest, response: GatewayResponse, failure: Failure): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status } = shownAs(failure);
  const headers = beginning(request);
  headers['X-Error-Type'] = failure.type;
  const pause = failure.retryAfterSeconds ?? (status === 503 || status === 429 ? 1 : undefined);
  if (pause !== undefined) headers['Retry-After'] = pause;
  if (failure.data.replayed === true) headers['Idempotent-Replayed'] = 'true';
  if (failure instanceof PayloadTooLarge || isLongUnread(request)) headers.Connection = 'close';
  const text = textOf(request, response, failureBody(failure), headers);
  if (headers.Connection === 'close' && !request.complete) writeAndLinger(request, response, status, headers, text);
  else writeText(request, response, status, headers, text);
}

/** Answers OPTIONS with the given headers and no body. */
export function writeAllowed(request: GatewayRequest, response: GatewayResponse, allowed: Headers): void {
  response.writeHead(204, Object.assign(beginning(request), allowed)).end();
}

/** Whether the caller's cached copy is still current. */
function isStillTrue({ method, headers }: GatewayRequest, etag: string): boolean {
  return (method === 'GET' || method === 'HEAD') && isUnchanged(headers['if-none-match'], etag);
}

function beginning({ $service: gateway, id, headers: { upgrade } }: GatewayRequest): Headers {
  const headers = answerHeaders(id);
  // After an upgrade request Node silently waits for the rest of a malformed next request on the same connection.
  if (gateway.http.stopping || upgrade !== undefined) headers.Connection = 'close';
  return headers;
}

function isLongUnread({ complete, headers }: GatewayRequest): boolean {
  if (complete) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > WORTH_READING_BYTES;
}

function textOf(request: GatewayRequest, response: GatewayResponse, body: unknown, headers: Headers): string {
  if (typeof body === 'string') return body;
  headers['Content-Type'] ??= 'application/json';
  return request.$service.encodeResponse(request, response, body);
}

function writeText(
  request: GatewayRequest,
  response: GatewayResponse,
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
  request: GatewayRequest,
  response: GatewayResponse,
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

function writeStream(
  request: GatewayRequest,
  response: GatewayResponse,
  status: number,
  headers: Headers,
  body: Readable,
): void {
  response.writeHead(status, headers);
  if (request.method === 'HEAD') {
    body.destroy();
    response.end();
    return;
  }
  // Otherwise Node holds the headers back until there is a body to send with them.
  response.flushHeaders();
  pipeline(body, response, (error) => {
    // A caller may close a stream at any time.
    if (error && error.code !== 'ERR_STREAM_PREMATURE_CLOSE')
      request.$service.logger.warn(
        request.method,
        request.$alias?.label,
        request.id,
        'the stream failed:',
        error,
        about({ request_id: request.id }),
      );
  });
}
