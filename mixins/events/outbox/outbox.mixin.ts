/** Gives a service its outbox: what it writes to `<schema>.outbox` reaches the stream, also after a crash. */
import type { ServiceBroker, ServiceSchema } from 'moleculer';
import type { WithDatabase } from '../../database/database.mixin.ts';
import { Lease } from '../lease.ts';
import { OUTBOX_WAITING } from '../../metrics/metric-names.ts';
import { onScrape } from '../../metrics/scrape.ts';
import { defineMixin } from '../../mesh/schema.ts';
import { shareStream, type StreamShare } from '../stream/shared-stream.ts';
import { Relay } from './relay.ts';

/** The service's side of its outbox. */
export interface Outbox {
  /** To be called after every commit that wrote events. Forgetting it, or dying before it, costs a fifth of a second. */
  wake(): void;
  /** How many outbox rows are not published yet. Counts them in the database. */
  waiting(): Promise<number>;
}

/** What a service gains: `this.outbox`, usable from its `started` to the end of its `stopped`. */
export interface WithOutbox {
  outbox: Outbox;
}

interface Own extends WithDatabase, WithOutbox {
  relay?: Relay;
  relayStream?: StreamShare;
  endOfGauge?: () => void;
}

/**
 * The mixin for a service whose schema has what `outboxTables` and `outboxTypes` make. It stands before `databaseMixin`
 * in `mixins`: Moleculer starts mixins from the last to the first, and stops them from the first to the last.
 */
export function outboxMixin(): Partial<ServiceSchema> {
  return defineMixin<Own>({
    started() {
      this.relayStream = shareStream(this.broker);
      const { stream } = this.relayStream;
      const { clock } = this.database;
      // Others would not believe what is sealed with a wrong time.
      const able = (): boolean => stream.reachable && clock.isRight;
      this.relay = new Relay({
        database: this.database,
        stream,
        lease: new Lease(this.database, 'relay', { holder: this.broker.nodeID, able }),
        logger: this.logger,
      });
      this.outbox = this.relay;
      this.relay.start();
      this.endOfGauge = showWaiting(this.broker, this.database.schema, this.outbox);
    },
    async stopped() {
      this.endOfGauge?.();
      await this.relay?.stop();
      await this.relayStream?.release();
    },
  });
}

/** Keeps the gauge of what waits in an outbox. Answers its end. */
function showWaiting(broker: ServiceBroker, schema: string, outbox: Outbox): () => void {
  const { metrics } = broker;
  if (!metrics.hasMetric(OUTBOX_WAITING)) {
    const description = 'Outbox rows that wait to be published, -1 while they cannot be counted';
    metrics.register({ type: 'gauge', name: OUTBOX_WAITING, description, labelNames: ['schema'] });
  }
  return onScrape(broker, async () => {
    metrics.set(OUTBOX_WAITING, await outbox.waiting().catch(() => -1), { schema });
  });
}
