/** Reads a JSON object from a request: bounded, strict about its type, its encoding and its fields. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MalformedBody, PayloadTooLarge, UnsupportedMediaType } from '../gateway.failures.ts';
import { countFields, refuseDoubles } from './json-guard.ts';

/** The caller went away before its request was whole: there is nobody to answer. */
export class RequestAborted extends Error {}
const GONE = new RequestAborted('the caller went away');

export type JsonObject = Record<string, unknown>;

/** Chunks that are kept side by side. One of a single byte takes a hundred in memory, and a caller chooses their size. */
const CHUNKS_APART = 1_024;

const JSON_TYPE = /^application\/(?:[\w.!#$&^-]+\+)?json$/;
const CHARSET = /^charset\s*=\s*"?utf-?8"?$/;

/** True when the request says that it brings a body of at least one byte, or of a length not told. */
export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

/**
 * The body as a JSON object. A key `__proto__` is an ordinary own key of the answer.
 * @param limit bytes the body may have at most
 * @throws UnsupportedMediaType, PayloadTooLarge (at once when Content-Length tells), MalformedBody, RequestAborted
 */
export async function readJsonObject(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Promise<JsonObject> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  if (hasBody(request)) checkType(request.headers['content-type'], request.headers['content-encoding']);
  // The caller asked to be told before it sends the body, and the server left that to us.
  if (request.headers.expect !== undefined) response.writeContinue();
  return parseObject(await collect(request, limit));
}

function tooLarge(limit: number): PayloadTooLarge {
  return new PayloadTooLarge(`The body may have at most ${limit} bytes`, { maxBytes: limit });
}

function checkType(contentType: string | undefined, contentEncoding: string | undefined): void {
  if (contentType === 'application/json' && contentEncoding === undefined) return;
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  if (!JSON_TYPE.test(type.trim())) {
    throw new UnsupportedMediaType('Send the body as JSON, with the header Content-Type: application/json');
  }
  if (parameters.some((parameter) => isCharset(parameter) && !CHARSET.test(parameter.trim()))) {
    throw new UnsupportedMediaType('Send the body in UTF-8');
  }
  if (contentEncoding !== undefined && contentEncoding.toLowerCase() !== 'identity') {
    throw new UnsupportedMediaType('Send the body without Content-Encoding');
  }
}

const isCharset = (parameter: string) => parameter.trimStart().startsWith('charset');

// The listeners are written in place: a named closure costs the loader a definition of its name on every request.
function collect(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (request.destroyed) reject(GONE);
    const chunks: Buffer[] = [];
    let size = 0;
    // How many at the beginning are put together already.
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
      // After an end this rejects a settled promise, which is nothing.
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
