/** Prints the last lines of a start: the gateway's address, and a request to paste. */
import type { ServiceBroker } from 'moleculer';
import type { WithGateway } from '../../mixins/gateway/gateway.types.ts';
import { settingsOf } from '../../mixins/settings/settings.ts';

/** Prints the address of this broker's gateway, for the person at the terminal; nothing for a log collector. */
export function greet(broker: ServiceBroker): void {
  const gateways = broker.services.map((service) => service as unknown as Partial<WithGateway>);
  const gateway = gateways.find(({ http }) => http !== undefined);
  const address = gateway?.http?.address;
  if (!address || settingsOf(broker).logFormat === 'json') return;
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const base = `http://${host}:${address.port}/api/v1`;
  const order = {
    customerId: 1,
    items: [{ productId: 1, quantity: 2 }],
    deliveryAddress: '221B Baker Street, London',
    carrier: 'DHL',
  };
  const asked = gateway.tokens !== undefined;
  const token = asked ? ' -H "Authorization: Bearer $TOKEN"' : '';
  const lines = [
    '',
    `Waybill listens on ${base}. To place an order${asked ? ', with a token for customer 1 in $TOKEN' : ''}:`,
    '',
    `  curl -i ${base}/orders${token} -H 'Content-Type: application/json' -d '${JSON.stringify(order)}'`,
    '',
  ];
  // Print after the broker's own last line.
  setImmediate(() => console.log(lines.join('\n')));
}
