/** Reads a JSON object from a request: bounded in size, strict about content type, encoding and fields. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MalformedBody, PayloadTooLarge, UnsupportedMediaType } from '../gateway.failures.ts';
import { countFields, refuseDoubles } from './json-guard.ts';

/** The caller disconnected before it sent the whole request: there is nobody to answer. */
export class RequestAborted extends Error {}
const GONE = new RequestAborted('the caller disconnected');

export type JsonObject = Record<string, unknown>;

/** How many chunks are kept before they are joined: a chunk of one byte takes a hundred, and callers choose the size. */
const CHUNKS_APART = 1_024;

const JSON_TYPE = /^application\/(?:[\w.!#$&^-]+\+)?json$/;
const CHARSET = /^charset\s*=\s*"?utf-?8"?$/;

/** Whether the request announces a body of at least one byte, or of unknown length. */
export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

/**
 * Reads the body as a JSON object. A key `__proto__` becomes an ordinary own property.
 * @param limit the maximum size of the body in bytes
 * @throws UnsupportedMediaType, PayloadTooLarge (at once if Content-Length exceeds it), MalformedBody, RequestAborted
 */
export async function readJsonObject(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Promise<JsonObject> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  if (hasBody(request)) checkType(request.headers['content-type'], request.headers['content-encoding']);
  // The caller waits for 100 Continue before it sends the body; the server leaves sending it to us.
  if (request.headers.expect !== undefined) response.writeContinue();
  return parseObject(await collect(request, limit));
}

function tooLarge(limit: number): PayloadTooLarge {
  return new PayloadTooLarge(`The body must not exceed ${limit} bytes`, { maxBytes: limit });
}

function checkType(contentType: string | undefined, contentEncoding: string | undefined): void {
  if (contentType === 'application/json' && contentEncoding === undefined) return;
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  if (!JSON_TYPE.test(type.trim())) {
    throw new UnsupportedMediaType('The body must be JSON: send Content-Type: application/json');
  }
  if (parameters.some((parameter) => isCharset(parameter) && !CHARSET.test(parameter.trim()))) {
    throw new UnsupportedMediaType('The body must be encoded in UTF-8');
  }
  if (contentEncoding !== undefined && contentEncoding.toLowerCase() !== 'identity') {
    throw new UnsupportedMediaType('Content-Encoding is not supported: send the body without it');
  }
}

const isCharset = (parameter: string) => parameter.trimStart().startsWith('charset');

// The listeners are inline: for a named closure, the loader would define its name again on every request.
function collect(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (request.destroyed) reject(GONE);
    const chunks: Buffer[] = [];
    let size = 0;
    // How many chunks at the beginning are already joined ones.
    let joined = 0;
    request
      .on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > limit) reject(tooLarge(limit));
        else if (chunks.push(chunk) - joined === CHUNKS_APART) {
          chunks.push(Buffer.concat(chunks.splice(joined)));
          joined++;
        }
      })
      .on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
      .on('error', () => reject(GONE))
      // After `end` this has no effect: the promise is already settled.
      .on('close', () => reject(GONE));
  });
}

function parseObject(bytes: Buffer): JsonObject {
  if (!isUtf8(bytes)) throw new MalformedBody('The body is not valid UTF-8');
  const fields = countFields(bytes);
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    throw new MalformedBody(
      bytes.length === 0 ? 'The body is empty: send a JSON object' : 'The body is not valid JSON',
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedBody('The body must be a JSON object');
  }
  refuseDoubles(text, value, fields);
  return value as JsonObject;
}
