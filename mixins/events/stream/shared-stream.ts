/** One stream per broker, shared by its services: JetStream if there is a transporter, else in-process. */
import type { ServiceBroker } from 'moleculer';
import { EVENTS_REFUSED_TOTAL } from '../../metrics/metric-names.ts';
import { settingsOf } from '../../settings/settings.ts';
import type { EventStream } from './event-stream.ts';
import { JetStreamStream } from './jetstream.ts';
import { LocalStream } from './local-stream.ts';

interface Shared {
  stream: EventStream;
  users: number;
}

const streams = new WeakMap<ServiceBroker, Shared>();

/** A share in the broker's stream, which is closed when the last share is released. */
export interface StreamShare {
  stream: EventStream;
  release(): Promise<void>;
}

/** Takes a share in the broker's stream; the first share creates the stream. Returns before it is connected. */
export function shareStream(broker: ServiceBroker): StreamShare {
  const shared = streams.get(broker) ?? { stream: openStream(broker), users: 0 };
  streams.set(broker, shared);
  shared.users++;
  let released = false;
  return {
    stream: shared.stream,
    release: async () => {
      if (released) return;
      released = true;
      if (--shared.users > 0) return;
      streams.delete(broker);
      await shared.stream.close();
    },
  };
}

function openStream(broker: ServiceBroker): EventStream {
  const { mesh } = settingsOf(broker);
  if (mesh === undefined) return new LocalStream(broker);
  const { metrics } = broker;
  metrics.register({
    type: 'counter',
    name: EVENTS_REFUSED_TOTAL,
    description: 'Stream messages rejected because of an invalid seal',
    labelNames: ['consumer'],
  });
  return new JetStreamStream({
    mesh,
    namespace: broker.namespace,
    name: broker.nodeID,
    logger: broker.getLogger('events'),
    refused: (consumer) => metrics.increment(EVENTS_REFUSED_TOTAL, { consumer }),
  });
}
