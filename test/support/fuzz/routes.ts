/** The gateway's routes as it declares them now, with the rules of the actions behind them: what is added is found here. */
import { type ServiceSchema } from 'moleculer';
import { apiService } from '../../../services/api/api.service.ts';
import inventory from '../../../services/inventory/inventory.service.ts';
import orders from '../../../services/orders/orders.service.ts';
import reports from '../../../services/reports/reports.service.ts';
import tracking from '../../../services/tracking/tracking.service.ts';
import type { Endpoint } from '../../../mixins/gateway/routes/endpoint.ts';
import type { Route } from './requests.ts';
import { plainBroker } from '../broker.ts';

interface Declared {
  method: string;
  fullPath: string;
  endpoint: Endpoint;
}

/** Every route of the gateway whose answer ends by itself. */
export function declaredRoutes(): Route[] {
  const api: unknown = plainBroker().createService(apiService());
  const rules = Object.fromEntries([orders, inventory, tracking, reports, apiService()].flatMap(rulesOf));
  // Streams do not end: their own tests follow them.
  const answered = (api as { aliases: Declared[] }).aliases.filter(({ endpoint }) => !endpoint.stream);
  return answered.map(({ method, fullPath, endpoint }) => ({
    method,
    path: fullPath,
    takesBody: endpoint.body === 'required',
    query: typeof endpoint.query === 'object' ? Object.keys(endpoint.query) : [],
    service: endpoint.action.split('.')[0] as string,
    params: rules[endpoint.action] ?? {},
  }));
}

function rulesOf({ name, actions }: ServiceSchema): [action: string, params: object][] {
  return Object.entries(actions ?? {}).map(([action, schema]) => [
    `${name}.${action}`,
    (schema as { params?: object }).params ?? {},
  ]);
}
