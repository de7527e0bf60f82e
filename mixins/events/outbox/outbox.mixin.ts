/** Gives a service an outbox: events written to `<schema>.outbox` reach the stream, even after a crash. */
import type { ServiceBroker, ServiceSchema } from 'moleculer';
import type { WithDatabase } from '../../database/database.mixin.ts';
import { Lease } from '../lease.ts';
import { OUTBOX_OLDEST_AGE_SECONDS, OUTBOX_WAITING } from '../../metrics/metric-names.ts';
import { onScrape } from '../../metrics/scrape.ts';
import { defineMixin } from '../../mesh/schema.ts';
import { shareStream, type StreamShare } from '../stream/shared-stream.ts';
import type { OutboxBacklog } from './outbox-rows.ts';
import { Relay } from './relay.ts';

/** The service's side of its outbox. */
export interface Outbox {
  /** Call after every commit that wrote events. Without the call they are published up to a fifth of a second later. */
  wake(): void;
  /** The unpublished outbox rows. Counts them in the database. */
  backlog(): Promise<OutboxBacklog>;
}

/** What the mixin adds: `this.outbox`, usable from the service's `started` to the end of its `stopped`. */
export interface WithOutbox {
  outbox: Outbox;
}

interface Own extends WithDatabase, WithOutbox {
  relay?: Relay;
  relayStream?: StreamShare;
  endOfGauge?: () => void;
}

/**
 * The mixin for a service whose migrations include `outboxTables` and `outboxTypes`. List it before `databaseMixin`:
 * Moleculer starts mixins from last to first, and stops them from first to last.
 */
export function outboxMixin(): Partial<ServiceSchema> {
  return defineMixin<Own>({
    started() {
      this.relayStream = shareStream(this.broker);
      const { stream } = this.relayStream;
      const { clock } = this.database;
      // Other nodes reject events that are sealed with a wrong time.
      const able = (): boolean => stream.reachable && clock.isRight;
      this.relay = new Relay({
        database: this.database,
        stream,
        lease: new Lease(this.database, 'relay', { holder: this.broker.nodeID, able }),
        logger: this.logger,
      });
      this.outbox = this.relay;
      this.relay.start();
      this.endOfGauge = showBacklog(this.broker, this.database.schema, this.outbox);
    },
    async stopped() {
      this.endOfGauge?.();
      await this.relay?.stop();
      await this.relayStream?.release();
    },
  });
}

const UNKNOWN: OutboxBacklog = { rows: -1, oldestAgeS: -1 };

/** Exports the outbox's backlog as gauges. Returns a function that ends it. */
function showBacklog(broker: ServiceBroker, schema: string, outbox: Outbox): () => void {
  const { metrics } = broker;
  const gauge = (name: string, description: string): void => {
    if (!metrics.hasMetric(name)) metrics.register({ type: 'gauge', name, description, labelNames: ['schema'] });
  };
  gauge(OUTBOX_WAITING, 'Outbox rows waiting to be published, -1 while they cannot be counted');
  gauge(OUTBOX_OLDEST_AGE_SECONDS, 'Age of the oldest waiting outbox row in seconds, -1 while unknown');
  return onScrape(broker, async () => {
    const { rows, oldestAgeS } = await outbox.backlog().catch(() => UNKNOWN);
    metrics.set(OUTBOX_WAITING, rows, { schema });
    metrics.set(OUTBOX_OLDEST_AGE_SECONDS, oldestAgeS, { schema });
  });
}
