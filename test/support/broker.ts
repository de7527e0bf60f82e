/** Brokers of tests, told by settings that a test gives and by nothing of the environment; they end with the test file. */
import { type BrokerOptions, ServiceBroker } from 'moleculer';
import { brokerOptions } from '../../mixins/mesh/broker-options.ts';
import { settingsMiddleware } from '../../mixins/settings/settings.ts';
import { readSettings, type WaybillSettings } from '../../services/settings.ts';
import { afterTheFile } from './endings.ts';
import { peerBroker } from './process/peer-broker.ts';

/** Settings by the names of their variables. */
export type Given = Record<string, string | undefined>;

const QUIET: Given = { PORT: '0', DEMO_CATALOG: 'false' };

/** The settings of a program that was started with these variables: on a free port, without demo products. */
export const settingsFor = (given: Given = {}): WaybillSettings => readSettings({ ...QUIET, ...given });

/** What a test changes of a broker's options, or makes of those that the program has. */
type Changes = Partial<BrokerOptions> | ((options: BrokerOptions) => Partial<BrokerOptions>);

/** A broker with all that the program's own has. */
export function programBroker(given: Given = {}, changes: Changes = {}): ServiceBroker {
  const options = brokerOptions(settingsFor(given));
  const changed = typeof changes === 'function' ? changes(options) : changes;
  return ending(new ServiceBroker({ ...options, logger: false, ...changed }));
}

/** A broker of Moleculer's own making, for services that are told by settings but are not ours. */
export function plainBroker(settings: WaybillSettings = settingsFor(), options: BrokerOptions = {}): ServiceBroker {
  const middlewares = [settingsMiddleware(settings), ...(options.middlewares ?? [])];
  return ending(new ServiceBroker({ logger: false, ...options, middlewares }));
}

/** Joins the mesh over NATS as a foreign node. */
export async function joinMesh(...who: Parameters<typeof peerBroker>): Promise<ServiceBroker> {
  const peer = ending(peerBroker(...who));
  await peer.start();
  return peer;
}

function ending(broker: ServiceBroker): ServiceBroker {
  afterTheFile(async () => {
    if (broker.started) await broker.stop();
  });
  return broker;
}
