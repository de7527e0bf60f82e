/** The names of the gateway's metrics, as an operator's dashboards and alarms know them. */

/** Counter of answered requests. Labels: `method`, `route` (the template, never the path), `status`. */
export const HTTP_REQUESTS_TOTAL = 'waybill_http_requests_total';

/** Histogram of seconds from the end of the request's headers to its answer. Labels: `method`, `route`. */
export const HTTP_REQUEST_DURATION_SECONDS = 'waybill_http_request_duration_seconds';
