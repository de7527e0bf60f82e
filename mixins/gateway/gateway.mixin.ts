/** REST through moleculer-web: turns declared endpoints into its routes and hooks, and adds this gateway's guarantees. */
import type { CallingOptions, ServiceBroker, ServiceSchema } from 'moleculer';
import ApiGateway from 'moleculer-web';
import { tokenVerifier } from '../auth/tokens.ts';
import { defineMixin } from '../mesh/schema.ts';
import { HttpMetrics } from '../metrics/http-metrics.ts';
import { settingsOf } from '../settings/settings.ts';
import type { GatewaySettings } from './gateway.settings.ts';
import type { Gateway, GatewayRequest, WithGateway } from './gateway.types.ts';
import { CallerLimits } from './guard/caller-limits.ts';
import { Cors } from './guard/cors.ts';
import { Shedder } from './guard/shedder.ts';
import { overrides } from './overrides.ts';
import { writeFailure } from './reply/reply-writer.ts';
import { sanitizedId } from './request/request-id.ts';
import { AliasRouter } from './routes/alias-router.ts';
import type { RouteGroup } from './routes/endpoint.ts';
import { OpenStreams } from './stream/open-streams.ts';
import { webRoute } from './routes/web-route.ts';

export interface GatewayOptions {
  /** Called once, when the service is created. */
  settings: (broker: ServiceBroker) => GatewaySettings;
  groups: readonly RouteGroup[];
}

/** The mixin. Every answer, failures included, is JSON and carries X-Request-ID. */
export function gatewayMixin(options: GatewayOptions): Partial<ServiceSchema> {
  return defineMixin<WithGateway>({
    mixins: [ApiGateway],
    settings: {
      // moleculer-web's own start hangs, or ends the process with a stack, when it cannot listen on the address.
      server: false,
      // Added below, because settings are published to the whole mesh.
      routes: null,
      // Two log lines per request would halve the throughput.
      logRequest: null,
      logRequestParams: null,
      logResponse: null,
      logRouteRegistration: null,
      rootCallOptions,
      onError: writeFailure,
    },
    actions: {
      // Routes are declared in code: peers may neither change nor list them.
      listAliases: false,
      addRoute: false,
      removeRoute: false,
      // Each action it calls has its own breaker and bulkhead: one failing action must not block all others.
      rest: { circuitBreaker: { enabled: false }, bulkhead: { enabled: false } },
    },
    methods: overrides as ServiceSchema['methods'],
    created() {
      const gateway = this as unknown as Gateway;
      const settings = options.settings(gateway.broker);
      gateway.gatewaySettings = settings;
      const { auth } = settingsOf(gateway.broker);
      gateway.tokens = auth && tokenVerifier(auth);
      gateway.httpMetrics = new HttpMetrics(gateway.broker.metrics);
      gateway.limits = settings.rateLimit && new CallerLimits(settings.rateLimit, settings, gateway.httpMetrics);
      gateway.streams = new OpenStreams(settings.streamsPerCaller, (open) => gateway.httpMetrics.streams(open));
      gateway.isGuarded = gateway.tokens !== undefined || gateway.limits !== undefined;
      gateway.shedder = new Shedder((line) => gateway.logger.warn(line));
      gateway.cors = settings.corsOrigins.length > 0 ? new Cors(settings.corsOrigins) : undefined;
      // Aliases come from the code, not from what the mesh currently offers.
      gateway.regenerateAllAutoAliases = () => {};
      for (const group of options.groups) gateway.addRoute(webRoute(group, gateway));
      gateway.router = new AliasRouter(gateway.aliases);
      gateway.createServer();
      gateway.server.on('drop', () => gateway.httpMetrics.connectionRefused());
      // The broker waits for calls in flight before it stops a service: without this, new requests would keep arriving.
      gateway.broker.middlewares.add({ name: 'GatewayDoor', stopping: async () => void gateway.http.stop() });
    },
    async started() {
      const { host, port } = this.gatewaySettings;
      await this.http.listen(port, host);
      this.logger.info(`Listening on http://${host.includes(':') ? `[${host}]` : host}:${this.http.address.port}`);
    },
    async stopped() {
      await this.http.stop();
    },
  });
}

/** The options with which moleculer-web calls `rest` for a request. */
function rootCallOptions(options: CallingOptions, request: GatewayRequest): void {
  // moleculer-web accepts any id, and prefers that of another header.
  request.id = sanitizedId(request.headers['x-request-id']);
  options.meta = { requestID: request.id };
  // Set by `onBeforeCall`: moleculer-web would write it as a header by itself, which makes Node write all others one by one, too.
  options.requestID = '';
  // The server itself waits for the requests in flight, and the list of contexts gets slow when it is long.
  options.tracking = false;
}
