/** A broker as Moleculer makes it, in Waybill's mesh without being part of it: its errors get back their classes. */
import { type BrokerOptions, ServiceBroker } from 'moleculer';
import { NAMESPACE } from '../../../mixins/mesh/broker-options.ts';
import { FailureRegenerator } from '../../../mixins/mesh/failure-regenerator.ts';

/** Makes the broker; the caller starts and stops it. Where `way` is an address, it looks for NATS as long as it takes. */
export function peerBroker(nodeID: string, way: string | Exclude<BrokerOptions['transporter'], string>): ServiceBroker {
  const patient = { maxReconnectAttempts: -1, reconnectTimeWait: 200 };
  return new ServiceBroker({
    namespace: NAMESPACE,
    nodeID,
    logger: false,
    transporter: typeof way === 'string' ? { type: 'NATS', options: { url: way, ...patient } } : way,
    requestTimeout: 15_000,
    errorRegenerator: new FailureRegenerator(),
  });
}
