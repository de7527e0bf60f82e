/** orderEvents, ordersEvents: the streams of the history of one order, and of all. */
import { setTimeout as pause } from 'node:timers/promises';
import { ORDER_STATUSES } from '../../../machines/order/order.words.ts';
import { ValidationFailed } from '../../../machines/shared/failure.ts';
import { confinedTo } from '../../../mixins/auth/caller.ts';
import { SseStream } from '../../../mixins/gateway/stream/sse.ts';
import { defineAction } from '../../../mixins/mesh/schema.ts';
import { identifier, isGiven } from '../../../mixins/params/params.ts';
import type {
  Explanation,
  FeedEntry,
  FeedPosition,
  HistoryEntryView,
  OrderIdParams,
  OrderWithTag,
} from '../../orders/orders.types.ts';
import type { ApiOwn } from '../api.context.ts';
import { comparePositions } from '../engine/order-feed.ts';

/** A stream, or nothing more to stream. */
export type Streamed = SseStream | 'ended';

/** For how long a position can be resumed from; the feed is kept longer. */
const RESUMABLE_MS = 60 * 60_000;
/** After a failure to read an order. */
const READ_AGAIN_MS = 1_000;
const ENDS: ReadonlySet<string> = new Set(['DELIVERED', 'CANCELLED']);

/**
 * The history of an order from the entry after `lastEventId` on, then each new entry; ends once nothing can change any more.
 * @throws NotFound
 */
export const orderEvents = defineAction<ApiOwn, OrderIdParams & { lastEventId?: number | null }>({
  access: ['customer', 'staff', 'admin'],
  params: {
    $$strict: true,
    id: [{ type: 'string' }, { type: 'number' }],
    lastEventId: { type: 'number', integer: true, min: 0, max: Number.MAX_SAFE_INTEGER, optional: true },
  },
  async handler(ctx): Promise<Streamed> {
    const { id, lastEventId: given } = ctx.params;
    const lastEventId = given ?? 0;
    const { order } = await ctx.call<OrderWithTag, OrderIdParams>('orders.get', { id });
    const { orderId, orderNumber } = order;
    // As the engine: whose order it is was checked above, and calls of this context end with the timeout of the request.
    const read = <Result>(action: string): Promise<Result> =>
      this.broker.call<Result, OrderIdParams>(action, { id: orderId });
    const stream = this.newStream();
    let last = lastEventId;
    let reading = false;
    let again = false;
    const send = ({ seq, event, from, to, at, actor, detail }: HistoryEntryView): void => {
      if (seq <= last) return;
      last = seq;
      const data = { seq, event, from, to, at, actor, detail, orderId, orderNumber, status: to };
      stream.send({ id: seq, event, data });
    };
    /** Sends what the history has, and ends the stream when nothing can follow. */
    const catchUp = async (): Promise<void> => {
      const [history, { waitingFor, status }] = await Promise.all([
        read<HistoryEntryView[]>('orders.history'),
        read<Explanation>('orders.explain'),
      ]);
      history.forEach(send);
      if (waitingFor === null && ENDS.has(status) && history.at(-1)?.seq === last) stream.end();
    };
    /** One at a time: a change during it is followed by another one. */
    const look = async (): Promise<void> => {
      again = true;
      if (reading) return;
      reading = true;
      while (again && stream.open) {
        again = false;
        try {
          await catchUp();
        } catch (error) {
          this.logger.debug(`The stream of order ${orderId} reads again: ${(error as Error).message}`);
          again = true;
          await pause(READ_AGAIN_MS);
        }
      }
      reading = false;
    };
    await beginning(stream, async () => {
      const end = await this.feed.follow((entry) => {
        if (entry.orderId !== orderId) return;
        if (entry.seq === last + 1) send(entry);
        if (entry.seq > last || ENDS.has(entry.to)) void look();
      });
      stream.once('close', end);
      await catchUp();
    });
    if (!stream.writableEnded || last > lastEventId) return stream;
    stream.destroy();
    return 'ended';
  },
});

interface OrdersEventsParams {
  status?: string | null;
  customerId?: number | null;
  lastEventId?: string | null;
}

/** Every entry of every order from now on, or from a position on that a stream has named; customers see their own. */
export const ordersEvents = defineAction<ApiOwn, OrdersEventsParams>({
  access: ['customer', 'staff', 'admin'],
  params: {
    $$strict: true,
    status: { type: 'string', optional: true },
    customerId: { ...identifier, optional: true },
    lastEventId: { type: 'string', optional: true, max: 100 },
  },
  async handler(ctx): Promise<Streamed> {
    const { status, customerId, lastEventId } = ctx.params;
    const statuses = statusesOf(status);
    const confined = confinedTo(ctx);
    const resumed = isGiven(lastEventId) ? positionOf(lastEventId) : undefined;
    const stream = this.newStream();
    let sent = resumed;
    const send = (entry: FeedEntry): void => {
      if (sent && comparePositions(entry.position, sent) <= 0) return;
      sent = entry.position;
      const { position, customerId: owner, ...data } = entry;
      if (statuses && !statuses.has(entry.to)) return;
      if ((isGiven(customerId) && owner !== customerId) || (confined !== null && owner !== confined)) return;
      stream.send({ id: nameOf(position), event: entry.event, data });
    };
    // What comes while older entries are read waits for them.
    let waiting: FeedEntry[] | undefined = [];
    await beginning(stream, async () => {
      const end = await this.feed.follow((entry) => {
        if (waiting) waiting.push(entry);
        else send(entry);
      });
      stream.once('close', end);
      const present = this.feed.position as FeedPosition;
      if (resumed && Date.now() - resumed.atMs > RESUMABLE_MS) {
        sent = undefined;
        stream.send({ id: nameOf(present), event: 'gap', data: { since: new Date(resumed.atMs).toISOString() } });
      } else if (resumed) for await (const entry of this.feed.since(resumed)) send(entry);
      else stream.mark(nameOf(present));
    });
    for (const entry of waiting) send(entry);
    waiting = undefined;
    return stream;
  },
});

/** Begins a stream; nothing of it remains if that fails. */
async function beginning(stream: SseStream, begin: () => Promise<void>): Promise<void> {
  try {
    await begin();
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

function statusesOf(text: string | null | undefined): ReadonlySet<string> | undefined {
  if (!isGiven(text)) return undefined;
  const statuses = text.split(',');
  if (statuses.every((status) => (ORDER_STATUSES as readonly string[]).includes(status))) return new Set(statuses);
  const message = `The 'status' field must be one or several of ${ORDER_STATUSES.join(', ')}, separated by commas.`;
  throw ValidationFailed.of([{ field: 'status', type: 'enumValue', message }]);
}

const nameOf = ({ txid, position, line, atMs }: FeedPosition): string => `${txid}-${position}-${line}-${atMs}`;

function positionOf(name: string): FeedPosition {
  const [, txid, position, line, atMs] = /^(\d{1,15})-(\d{1,15})-(\d{1,9})-(\d{1,15})$/.exec(name) ?? [];
  if (txid !== undefined) return { txid, position: Number(position), line: Number(line), atMs: Number(atMs) };
  const message = 'Last-Event-ID must be the id of a message of this stream';
  throw ValidationFailed.of([{ field: 'Last-Event-ID', type: 'lastEventId', message }]);
}
