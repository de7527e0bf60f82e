/** The routes of streams, to the actions of this gateway. */
import { ValidationFailed } from '../../../machines/shared/failure.ts';
import { noContent, type Reply, type RouteGroup, route } from '../../../mixins/gateway/routes/endpoint.ts';
import { SSE_HEADERS } from '../../../mixins/gateway/stream/sse.ts';
import type { Streamed } from '../actions/stream.actions.ts';
import { API_PATH } from './api-path.ts';

/** 204 ends the reconnecting of a browser's EventSource. */
const reply = (stream: Streamed): Reply =>
  stream === 'ended' ? noContent() : { status: 200, headers: SSE_HEADERS, body: stream };

/** The `seq` that a reader has seen last. */
function seqOf(text: string | string[] | undefined): { lastEventId?: number } {
  if (text === undefined || text === '') return {};
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return { lastEventId: Number(text) };
  const message = 'Last-Event-ID must be the id of a message of this stream, a whole number';
  throw ValidationFailed.of([{ field: 'Last-Event-ID', type: 'lastEventId', message }]);
}

export const streamsRoutes: RouteGroup = {
  name: 'streams',
  path: API_PATH,
  ownNode: true,
  endpoints: [
    route<Streamed>('GET /orders/:id/events', 'api.orderEvents', {
      params: ({ path, headers }) => ({ id: path.id, ...seqOf(headers['last-event-id']) }),
      reply,
      stream: true,
    }),
    route<Streamed>('GET /orders/events', 'api.ordersEvents', {
      query: { status: 'text', customerId: 'integer' },
      params: ({ query, headers }) => ({
        ...query,
        ...(headers['last-event-id'] && { lastEventId: headers['last-event-id'] }),
      }),
      reply,
      stream: true,
    }),
  ],
};
