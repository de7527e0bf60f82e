/** Brokers for tests, told by settings that a test gives and by nothing of the environment. */
import { type BrokerOptions, ServiceBroker } from 'moleculer';
import { brokerOptions } from '../../mixins/mesh/broker-options.ts';
import { settingsMiddleware } from '../../mixins/settings/settings.ts';
import { readSettings, type WaybillSettings } from '../../services/settings.ts';

/** Settings by the names of their variables. */
export type Given = Record<string, string | undefined>;

const QUIET: Given = { PORT: '0', DEMO_CATALOG: 'false' };

/** The settings of a program that was started with these variables: on a free port, without demo products. */
export const settingsFor = (given: Given = {}): WaybillSettings => readSettings({ ...QUIET, ...given });

/** A broker with all that the program's own has. */
export function programBroker(given: Given = {}, options: Partial<BrokerOptions> = {}): ServiceBroker {
  return new ServiceBroker({ ...brokerOptions(settingsFor(given)), logger: false, ...options });
}

/** A broker of Moleculer's own making, for services that are told by settings but are not ours. */
export function plainBroker(settings: WaybillSettings = settingsFor(), options: BrokerOptions = {}): ServiceBroker {
  return new ServiceBroker({ logger: false, ...options, middlewares: [settingsMiddleware(settings)] });
}
