/** A real EventSource client: what it has received so far. */
import { EventSource } from 'eventsource';
import { afterTheTest } from './endings.ts';

/** A received message; `data` is parsed. */
export interface Received<Data = Record<string, unknown>> {
  id: string;
  event: string;
  data: Data;
}

export interface Listener<Data> {
  readonly messages: Received<Data>[];
  /** `connecting`, `open` or `closed`, as the client sees it. */
  readonly state: () => number;
  close(): void;
}

/** The events that a stream may have. EventSource delivers named events only to whoever asks for them by name. */
const NAMES =
  'PLACE SECURED RESERVED REFUSED SHIPMENT_CREATED CANCEL EXPIRE SHIP DELIVER STOCK_CONSUMED STOCK_RELEASED SHIPMENT_VOIDED gap';

/** Listens until the test ends. `headers` are sent with each request. */
export function listen<Data = Record<string, unknown>>(
  url: string,
  headers: Record<string, string> = {},
): Listener<Data> {
  const messages: Received<Data>[] = [];
  const source = new EventSource(url, {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
  });
  for (const name of NAMES.split(' ')) {
    source.addEventListener(name, ({ lastEventId, type, data }) => {
      messages.push({ id: lastEventId, event: type, data: JSON.parse(String(data)) as Data });
    });
  }
  afterTheTest(() => source.close());
  return { messages, state: () => source.readyState, close: () => source.close() };
}
