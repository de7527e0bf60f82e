/** A moleculer-web gateway whose endpoints are declarations, with its own router, body reader and answers. */
import type { ServiceBroker, ServiceSchema } from 'moleculer';
import ApiGateway from 'moleculer-web';
import { tokenVerifier } from '../auth/tokens.ts';
import { HttpMetrics } from '../metrics/http-metrics.ts';
import { defineMixin } from '../mesh/schema.ts';
import { settingsOf } from '../settings/settings.ts';
import { CallerLimits } from './guard/caller-limits.ts';
import { Cors } from './guard/cors.ts';
import type { RouteGroup } from './routes/endpoint.ts';
import { type Gateway, type GatewayAlias, type MoleculerWeb, serve, type WithGateway } from './exchange.ts';
import { HttpServer } from './server/http-server.ts';
import type { GatewaySettings } from './gateway.settings.ts';
import { Router } from './routes/router.ts';
import { Shedder } from './guard/shedder.ts';

export type { WithGateway } from './exchange.ts';

export interface GatewayOptions {
  /** Read once, when the service is created. */
  settings: (broker: ServiceBroker) => GatewaySettings;
  groups: readonly RouteGroup[];
}

/** The mixin. Every answer, failures included, is JSON and carries X-Request-ID. */
export function gatewayMixin(options: GatewayOptions): Partial<ServiceSchema> {
  return defineMixin<WithGateway & MoleculerWeb>({
    mixins: [ApiGateway],
    settings: {
      // The server and the routes are made below; moleculer-web would log two lines a request, and open every action.
      server: false,
      routes: null,
      logRequest: null,
      logRequestParams: null,
      logResponse: null,
      logRouteRegistration: null,
    },
    actions: {
      // Routes are declared in code. Peers shall neither change nor list them.
      listAliases: false,
      addRoute: false,
      removeRoute: false,
      rest: false,
    },
    created() {
      const gateway = this as unknown as Gateway;
      const settings = options.settings(gateway.broker);
      gateway.gatewaySettings = settings;
      const { auth } = settingsOf(gateway.broker);
      gateway.tokens = auth && tokenVerifier(auth);
      gateway.httpMetrics = new HttpMetrics(gateway.broker.metrics);
      gateway.limits = settings.rateLimit && new CallerLimits(settings.rateLimit, settings, gateway.httpMetrics);
      gateway.shedder = new Shedder((line) => gateway.logger.warn(line));
      gateway.cors = settings.corsOrigins.length > 0 ? new Cors(settings.corsOrigins) : undefined;
      gateway.regenerateAllAutoAliases = () => {};
      for (const group of options.groups) gateway.addRoute(routeOptions(group));
      gateway.router = buildRouter(gateway.aliases);
      gateway.http = new HttpServer((request, response) => void serve(gateway, request, response), settings);
      gateway.http.server.on('drop', () => gateway.httpMetrics.connectionRefused());
      // The broker waits for calls in flight before it stops a service: without this, new ones would keep coming.
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

function routeOptions(group: RouteGroup): object {
  const aliases = group.endpoints.map((endpoint) => [
    `${endpoint.method} ${endpoint.path}`,
    { action: endpoint.action ?? null, endpoint },
  ]);
  return {
    name: group.name,
    path: group.path,
    aliases: Object.fromEntries(aliases),
    mappingPolicy: 'restrict',
    bodyParsers: false,
    logging: false,
  };
}

function buildRouter(aliases: readonly GatewayAlias[]): Router<GatewayAlias> {
  const router = new Router<GatewayAlias>();
  for (const alias of aliases) {
    alias.label = alias.fullPath.replace(/:(\w+)/g, '{$1}');
    router.add(alias.method, alias.fullPath, alias);
  }
  return router;
}
