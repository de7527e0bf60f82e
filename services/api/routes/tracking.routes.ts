/** The routes of `/tracking`, to the actions of the tracking service. */
import { created, mergeParams, type RouteGroup, route } from '../../../mixins/gateway/routes/endpoint.ts';
import type { JsonObject } from '../../../mixins/gateway/request/json-body.ts';
import type { CreateShipmentResult } from '../../tracking/tracking.types.ts';
import { API_PATH } from './api-path.ts';

const shipmentPath = (trackingNumber: string | undefined) =>
  `${API_PATH}/tracking/${encodeURIComponent(trackingNumber ?? '')}`;

/** Drops the tracking number from a body if it matches the path: carriers repeat it in their events. */
function withoutRepeated(body: JsonObject, trackingNumber: string | undefined): JsonObject {
  if (body.trackingNumber !== trackingNumber) return body;
  const { trackingNumber: _repeated, ...rest } = body;
  return rest;
}

export const trackingRoutes: RouteGroup = {
  name: 'tracking',
  path: API_PATH,
  endpoints: [
    route<CreateShipmentResult>('POST /tracking/shipment', 'tracking.createShipment', {
      body: 'required',
      params: ({ body }) => body,
      reply: (shipment) => created(shipmentPath(shipment.trackingNumber), shipment),
    }),
    route('GET /tracking', 'tracking.list', {
      query: { orderId: 'integer' },
      params: ({ query }) => ({ ...query }),
    }),
    route('GET /tracking/:trackingNumber', 'tracking.get'),
    route('POST /tracking/:trackingNumber/events', 'tracking.addEvent', {
      body: 'required',
      params: ({ body, path }) => mergeParams(withoutRepeated(body, path.trackingNumber), path),
      reply: (event, { path }) => created(shipmentPath(path.trackingNumber), event),
    }),
  ],
};
