/** The deployment as its customers see it: requests over HTTP, each recorded with what came of it. */
import type { AnswerBody, Entry, Log, Operation, Outcome, Submission } from './log.ts';

/** Shorter than the gateway waits for its services, so that some answers arrive after the client has given up. */
const TIMEOUT_MS = 8_000;

export interface Product {
  id: number;
  /** In cents. */
  price: number;
  initialStock: number;
}

/** A request, as far as the log records it. */
type Asked = Pick<Entry, 'operation' | 'orderId' | 'submission' | 'product' | 'knownBefore'>;

export interface Reply {
  status: number | null;
  body: unknown;
  failure?: string;
  headers?: Headers;
}

export class Shop {
  readonly log: Log;
  readonly #urls: readonly string[];
  #next = 0;

  constructor(urls: readonly string[], log: Log) {
    this.#urls = urls;
    this.log = log;
  }

  /** One request to one of the gateways, in turn. Never rejects. */
  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    timeoutMs = TIMEOUT_MS,
  ): Promise<Reply> {
    const base = this.#urls[this.#next++ % this.#urls.length] as string;
    try {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      return { status: response.status, body: parsed(text), headers: response.headers };
    } catch (error) {
      const { cause, name, message } = error as Error & { cause?: { code?: string } };
      return { status: null, body: null, failure: cause?.code ?? `${name}: ${message}` };
    }
  }

  place(submission: Submission): Promise<Entry> {
    const { customerId, key, items } = submission;
    const body = { customerId, items, deliveryAddress: `${customerId} Harbour Street, Cork`, carrier: 'DHL' };
    const headers: Record<string, string> = key === null ? {} : { 'Idempotency-Key': key };
    return this.#record({ operation: 'place', submission }, this.request('POST', '/orders', body, headers));
  }

  command(name: 'cancel' | 'ship' | 'deliver', orderId: number): Promise<Entry> {
    return this.#record({ operation: name, orderId }, this.request('PUT', `/orders/${orderId}/${name}`));
  }

  /** The carrier says that the parcel has arrived. */
  parcelArrived(orderId: number, trackingNumber: string): Promise<Entry> {
    const event = { status: 'DELIVERED', location: 'Cork' };
    return this.#record(
      { operation: 'parcel', orderId },
      this.request('POST', `/tracking/${trackingNumber}/events`, event),
    );
  }

  read(orderId: number, knownBefore: string | undefined): Promise<Entry> {
    return this.#record({ operation: 'read', orderId, knownBefore }, this.request('GET', `/orders/${orderId}`));
  }

  addStock(id: number, amount: number): Promise<Entry> {
    return this.#record(
      { operation: 'addStock', product: { id, amount } },
      this.request('POST', `/inventory/${id}/addStock`, { amount }),
    );
  }

  /** The first order of a customer, if it exists already. Not recorded: it looks for orders not yet answered. */
  async peek(customerId: number): Promise<number | undefined> {
    const { status, body } = await this.request('GET', `/orders/customer/${customerId}`);
    return status === 200 ? (body as { orderId: number }[])[0]?.orderId : undefined;
  }

  async #record(asked: Asked, request: Promise<Reply>): Promise<Entry> {
    const at = this.log.now();
    const { status, body, failure } = await request;
    const answer: AnswerBody | null = typeof body === 'object' ? body : null;
    const entry: Entry = {
      ...asked,
      at,
      tookMs: this.log.now() - at,
      status,
      body: answer,
      outcome: outcomeOf(asked.operation, status, answer, failure),
      ...(failure === undefined ? {} : { failure }),
    };
    this.log.add(entry);
    return entry;
  }
}

function outcomeOf(
  operation: Operation,
  status: number | null,
  body: AnswerBody | null,
  failure: string | undefined,
): Outcome {
  if (failure === 'ECONNREFUSED') return 'unsent';
  if (status === null) return 'unknown';
  if (status < 400) return 'done';
  if (status < 500) return 'refused';
  return operation === 'place' && status === 503 && body?.orderId !== undefined ? 'accepted' : 'unknown';
}

function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
