/** The names of the metrics that every service may export. Dashboards and alerts rely on them. */

/** Counter of answered requests. Labels: `method`, `route` (the template, never the path), `status`. */
export const HTTP_REQUESTS_TOTAL = 'waybill_http_requests_total';

/** Histogram of seconds from the end of the request's headers to its answer. Labels: `method`, `route`. */
export const HTTP_REQUEST_DURATION_SECONDS = 'waybill_http_request_duration_seconds';

/** Counter of requests refused with 429. Label: `by`, the limit exceeded: `caller`, or `address` for unknown callers. */
export const RATE_LIMITED_TOTAL = 'waybill_rate_limited_total';

/** Counter of connections closed at once because there were too many. */
export const CONNECTIONS_REFUSED_TOTAL = 'waybill_connections_refused_total';

/** Gauge of streams that are open at a gateway. */
export const OPEN_STREAMS = 'waybill_open_streams';

/** Counter of transactions that wrote a batch, retries included. Label: `stage`. */
export const BATCHES_TOTAL = 'waybill_batches_total';

/** Counter of the items in those batches; divided by the batches, the callers that share a commit. Label: `stage`. */
export const BATCH_ITEMS_TOTAL = 'waybill_batch_items_total';

/** Gauge, 1 while this process's circuit breaker for an action of a node is open. Labels: `action`, `node`. */
export const BREAKER_OPEN = 'waybill_breaker_open';

/** Gauge of outbox rows that wait to be published, -1 while they cannot be counted. Label: `schema`. */
export const OUTBOX_WAITING = 'waybill_outbox_waiting';

/** Gauge of seconds since the oldest of those rows was written, 0 without rows, -1 while unknown. Label: `schema`. */
export const OUTBOX_OLDEST_AGE_SECONDS = 'waybill_outbox_oldest_age_seconds';

/** Counter of packets from NATS that were refused. Labels: `packet` (Moleculer's packet type), `reason`. */
export const MESH_REFUSED_TOTAL = 'waybill_mesh_refused_total';

/** Counter of messages in the stream that a consumer refused. Label: `consumer`. */
export const EVENTS_REFUSED_TOTAL = 'waybill_events_refused_total';

/** Gauge of seconds that the clock of this machine is ahead of a database's, negative behind it. Label: `schema`. */
export const CLOCK_OFFSET_SECONDS = 'waybill_clock_offset_seconds';
