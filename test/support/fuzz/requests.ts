/** Requests to every route of the gateway: valid ones, and ones broken in method, path, query, headers and body. */
import fc, { type Arbitrary } from 'fast-check';
import { sometimesBroken } from './breaking.ts';
import { validParams, type Hints } from './from-schema.ts';
import { brokenJson } from './json-text.ts';
import { poison, poisonText } from './poison.ts';
import type { Request } from './wire.ts';

/** A route as the gateway has it, and the rules of the action behind it. */
export interface Route {
  method: string;
  /** Its whole path, parameters as `:name`. */
  path: string;
  takesBody: boolean;
  query: readonly string[];
  service: string;
  params: object;
}

/** A request before it is put into bytes. */
export interface Case {
  /** The route it is made for, such as `PUT /api/v1/orders/:id/cancel`. */
  route: string;
  method: string;
  path: string;
  query: string;
  headers: [name: string, value: string][];
  body: unknown;
}

/** Header values that mean something to the gateway; the tokens come first. */
export interface Senders {
  /** Valid `Authorization` headers. */
  trusted: readonly string[];
  /** Some that are not, though each is nearly one. */
  doubted: readonly string[];
}

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'BREW',
  'get',
];

/** Headers that a gateway may read, each with possible values. */
const HEADERS: Record<string, readonly string[]> = {
  'Content-Type': ['application/json; charset=utf-8', 'text/plain', 'application/json; charset=latin1', 'a/b', ''],
  'Content-Encoding': ['identity', 'gzip'],
  'If-Match': ['"1"', '*', 'W/"1"', '"1", "2"', '"1', ','.repeat(500), '"'.repeat(501)],
  'If-None-Match': ['"4"', '*', 'W/"4"', '"', ',,,', 'a b c'],
  'Idempotency-Key': ['key-1', 'key-2', 'key-3', '', ' ', 'x'.repeat(256), 'é'],
  'X-Request-ID': ['request-1', 'a b', 'x'.repeat(129), '\x7f'],
  'Last-Event-ID': ['0', '-1', '1e400', '9007199254740993'],
  Range: ['bytes=0-0', 'bytes=-1', 'bytes=9-1,0-0', `bytes=${'0-,'.repeat(500)}`],
  Accept: ['*/*', 'text/html', 'text/event-stream', 'application/json;q=0', ';'],
  'Accept-Encoding': ['gzip', 'br;q=1.0, *;q=0'],
  Origin: ['null', 'https://shop.example', 'file://'],
  'Access-Control-Request-Method': ['PUT', 'x'],
  'X-Forwarded-For': ['127.0.0.1', '::1, ::1', '999.1.1.1', ','.repeat(300)],
  'X-HTTP-Method-Override': ['DELETE', 'PUT'],
  'X-Original-URL': ['/api/v1/orders'],
  Forwarded: ['for=127.0.0.1;host=evil.example'],
  Host: ['evil.example', ''],
  Cookie: ['__proto__=1; a=b', ';'.repeat(300)],
  Connection: ['close', 'upgrade, keep-alive', 'X-Request-ID'],
  Upgrade: ['websocket', 'h2c'],
  Expect: ['100-continue', 'tea'],
  TE: ['trailers'],
  Prefer: ['respond-async'],
};

/** Requests to any of the routes, and to addresses near them. */
export function requests(routes: readonly Route[], hints: Hints, senders: Senders): Arbitrary<Case> {
  return fc.oneof(...routes.map((route) => requestsTo(route, hints, senders)));
}

function requestsTo(route: Route, hints: Hints, { trusted, doubted }: Senders): Arbitrary<Case> {
  const names = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1] as string);
  const valid = validParams(route.params, route.service, hints);
  const values = fc.tuple(valid, fc.array(poisonText, { minLength: names.length, maxLength: names.length }), fc.nat(9));
  const path = values.map(([params, odd, dice]) => pathOf(route.path, names, params, dice === 0 ? odd : []));
  const inBody = validParams(route.params, route.service, hints, names);
  const sender = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...trusted) },
    { weight: 2, arbitrary: fc.constantFrom(...doubted, '') },
    { weight: 1, arbitrary: poisonText.map((text) => `Bearer ${text}`) },
  );
  return fc.record({
    route: fc.constant(`${route.method} ${route.path}`),
    method: fc.oneof({ weight: 12, arbitrary: fc.constant(route.method) }, fc.constantFrom(...METHODS)),
    path: fc.oneof(
      { weight: 20, arbitrary: path },
      fc.tuple(path, poisonText).map(([own, odd]) => `${own}/${odd}`),
    ),
    query: queryOf(route, hints),
    headers: fc
      .tuple(sender, headerList)
      .map(([token, list]): Case['headers'] => (token === '' ? list : [authorization(token)].concat(list))),
    body: bodyOf(route.takesBody, inBody),
  }) as Arbitrary<Case>;
}

const authorization = (token: string): [string, string] => ['Authorization', token];

function pathOf(path: string, names: string[], params: Record<string, unknown>, odd: string[]): string {
  return names.reduce(
    (text, name, i) => text.replace(`:${name}`, () => odd[i] ?? encodeURIComponent(String(params[name]))),
    path,
  );
}

function queryOf({ query, service, params }: Route, hints: Hints): Arbitrary<string> {
  const known = Object.fromEntries(Object.entries(params).filter(([name]) => query.includes(name)));
  const pairs = validParams(known, service, hints).map((values) => Object.entries(values).map(pair).join('&'));
  const odd = fc
    .array(fc.tuple(fc.oneof(fc.constantFrom('limit', 'cursor', ...query), poisonText), poisonText).map(pair), {
      minLength: 1,
      maxLength: 3,
    })
    .map((all) => all.join('&'));
  const raw = fc.constantFrom('&&&', '=', '%', 'limit=%zz', '__proto__[x]=1', 'limit[]=1', 'limit=1&limit=2', '?', '#');
  return fc.oneof(
    { weight: 8, arbitrary: query.length === 0 ? fc.constant('') : pairs },
    { weight: 3, arbitrary: odd },
    { weight: 1, arbitrary: fc.oneof(raw, poisonText) },
  );
}

const pair = ([name, value]: [string, unknown]): string =>
  `${encodeURIComponent(fit(name))}=${encodeURIComponent(fit(String(value)))}`;

/** Half of a pair of surrogates cannot be percent-encoded. */
const fit = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

const headerList: Arbitrary<[string, string][]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<[string, string][]>([]) },
  {
    weight: 3,
    arbitrary: fc.array(
      fc.constantFrom(...Object.keys(HEADERS)).chain((name) => {
        const known = fc.constantFrom(...(HEADERS[name] as string[]));
        const value = fc.oneof({ weight: 4, arbitrary: known }, { weight: 1, arbitrary: poisonText });
        return fc.tuple(fc.constant(name), value);
      }),
      { minLength: 1, maxLength: 4 },
    ),
  },
);

function bodyOf(takesBody: boolean, valid: Arbitrary<object>): Arbitrary<unknown> {
  const nothing = fc.constant(undefined);
  if (!takesBody) return fc.oneof({ weight: 12, arbitrary: nothing }, fc.constant({}), poison, brokenJson(valid));
  return fc.oneof(
    { weight: 12, arbitrary: sometimesBroken(valid, poison) },
    { weight: 3, arbitrary: brokenJson(valid) },
    { weight: 1, arbitrary: nothing },
  );
}

/** Text as the characters of its bytes. Nothing in a line may end it, or the header that it is part of. */
const onTheWire = (text: string): string =>
  Buffer.from(text.replace(/[\r\n\0]/g, '').slice(0, 9_000)).toString('latin1');

/** The bytes of a request; text that is no plain ASCII goes out as UTF-8. */
export function inBytes({ method, path, query, headers, body }: Case): Request {
  const target = onTheWire(`${path}${query === '' ? '' : `?${query}`}`).replaceAll(' ', '%20');
  const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const typed = headers.some(([name]) => name === 'Content-Type');
  const type: [string, string][] = bytes === undefined || typed ? [] : [['Content-Type', 'application/json']];
  return {
    method,
    target,
    headers: [...type, ...headers].map(([name, value]) => [name, onTheWire(value)]),
    body: bytes,
  };
}
