/** The type of `this` in the actions of api. */
import type { SseStream } from '../../mixins/gateway/stream/sse.ts';
import type { OrderFeed } from './engine/order-feed.ts';

export interface ApiOwn {
  /** The source of all streams of this process. */
  feed: OrderFeed;
  /** Opens a stream, which ends when the process stops. */
  newStream(): SseStream;
}
