/** Endpoints as declarations: what a request turns into, and how the answer is shown. */
import type { IncomingHttpHeaders } from 'node:http';
import { type FieldFault, NotFound, ValidationFailed } from '../../../machines/shared/failure.ts';
import { unknownField } from '../../params/validation-failure.ts';
import { jsonWriter, type WriteJson } from '../reply/money-json.ts';
import type { JsonObject } from '../request/json-body.ts';
import type { QuerySchema, QueryValues } from '../request/query.ts';

/** A request, read and checked as far as the endpoint declares it. */
export interface Input {
  path: Record<string, string>;
  query: QueryValues;
  body: JsonObject;
  headers: IncomingHttpHeaders;
  /** Path and query as the caller sent them, without a slash at the end of the path. */
  url: string;
}

/** An answer. Without a body nothing is sent after the headers. */
export interface Reply {
  status: number;
  headers?: Record<string, string>;
  /** The strong tag of the body, unquoted: makes the answer conditional. */
  etag?: string;
  /**
   * An object or array for JSON; text that is sent as it is (name its type in `headers`); or a stream, whose headers are
   * sent at once.
   */
  body?: unknown;
}

export interface EndpointOptions<Answer> {
  /** `required`: a JSON object. Otherwise a body, if there is one, must be an empty object. */
  body?: 'required';
  /** The query parameters known here; default none. `ignored` is for endpoints that probes call. */
  query?: QuerySchema | 'ignored';
  /** The params of the action; default the path's parameters. */
  params?(input: Input): object;
  /** What the call carries beside its params. */
  meta?(input: Input): Record<string, unknown> | undefined;
  /** How the action's answer is shown; default 200 with the answer as the body. */
  reply?(answer: Answer, input: Input): Reply;
  /** Once the action has refused with Overloaded, requests are refused unread for a moment. */
  sheds?: boolean;
  /** Fields whose amounts of money are written with two decimals, wherever they stand in the answer. */
  money?: readonly string[];
  /** Everyone may ask, without a token. Otherwise the rule of the action counts. */
  public?: boolean;
  /** Not counted against anybody's rate: for probes, which must never be refused for what others do. */
  unlimited?: boolean;
}

/** A declared endpoint: a request to this method and path calls this action. */
export interface Endpoint extends Omit<EndpointOptions<unknown>, 'money'> {
  method: string;
  /** Below the path of its group, parameters as `:name`. */
  path: string;
  action: string;
  /** Writes bodies as JSON. */
  json: WriteJson;
}

/** Endpoints that share a path and a name: a route of moleculer-web. */
export interface RouteGroup {
  name: string;
  path: string;
  endpoints: readonly Endpoint[];
  /** How long an action may take, in milliseconds; default 10 s. */
  timeoutMs?: number;
  /** The actions are called on the gateway's own node and on no other. */
  ownNode?: boolean;
}

/** Declares that `'POST /orders'` is answered by an action of the broker. `Answer` is what the action answers. */
export function route<Answer>(
  line: string,
  action: string,
  { money, ...options }: EndpointOptions<Answer> = {},
): Endpoint {
  const [method = '', path = ''] = line.split(' ');
  return { method, path, ...(options as EndpointOptions<unknown>), action, json: jsonWriter(money) };
}

/** 201 with the address of what was made. */
export function created(location: string, body: unknown, headers?: Record<string, string>): Reply {
  return { status: 201, headers: { Location: location, ...headers }, body };
}

/** 204. */
export function noContent(): Reply {
  return { status: 204 };
}

/** One page of a list as an action answers it: `next` is the cursor of the following page, null at the end. */
export interface ListPage {
  items: readonly unknown[];
  next: string | null;
}

/** A page as a JSON array, with `Link: <…>; rel="next"` while there is more. */
export function pageReply(page: ListPage, input: Input): Reply {
  if (page.next === null || page.next === undefined) return { status: 200, body: page.items };
  const [path = '', query] = input.url.split('?', 2);
  const next = new URLSearchParams(query);
  next.set('cursor', page.next);
  return { status: 200, headers: { Link: `<${path}?${next.toString()}>; rel="next"` }, body: page.items };
}

/**
 * A numeric id from the path.
 * @throws NotFound for anything but a positive integer below 2^53: nothing has such an id
 */
export function pathId(text: string | undefined): number {
  const id = Number(text);
  if (text === undefined || !/^[1-9]\d{0,15}$/.test(text) || !Number.isSafeInteger(id)) {
    throw new NotFound('There is nothing at this address');
  }
  return id;
}

/**
 * The body's fields and the path's, as the params of one action.
 * @throws ValidationFailed when the body names a field of the path, or `__proto__`
 */
export function mergeParams(body: JsonObject, path: Record<string, unknown>): JsonObject {
  const faults: FieldFault[] = Object.keys(body)
    .filter((field) => field === '__proto__' || Object.hasOwn(path, field))
    .map(unknownField);
  if (faults.length > 0) throw ValidationFailed.of(faults);
  return { ...body, ...path };
}
