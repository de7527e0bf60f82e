/** A process whose service forgot to say who may call it: it must refuse to start. Run by a test. */
import { ServiceBroker } from 'moleculer';
import { brokerOptions } from '../../mixins/mesh/broker-options.ts';
import { lifecycleMiddleware } from '../../mixins/process/lifecycle.middleware.ts';
import { readSettings } from '../../services/settings.ts';

const options = brokerOptions(readSettings({ LOGLEVEL: 'fatal' }));
const release = (): Promise<void> => Promise.resolve();
const broker = new ServiceBroker({
  ...options,
  middlewares: [...(options.middlewares ?? []), lifecycleMiddleware({ release })],
});
broker.createService({ name: 'shop', actions: { buy: () => 'bought', sell: { handler: () => 'sold' } } });
await broker.start();
