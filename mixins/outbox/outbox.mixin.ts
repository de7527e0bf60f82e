/** Gives a service its outbox: what it writes to `<schema>.outbox` reaches the stream, also after a crash. */
import type { ServiceSchema } from 'moleculer';
import type { WithDatabase } from '../database/database.mixin.ts';
import { Lease } from '../lease.ts';
import { defineMixin } from '../schema.ts';
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
}

/**
 * The mixin for a service whose schema has the tables of `outboxTables`. It stands before `databaseMixin` in `mixins`:
 * Moleculer starts mixins from the last to the first, and stops them from the first to the last.
 */
export function outboxMixin(): Partial<ServiceSchema> {
  return defineMixin<Own>({
    started() {
      this.relayStream = shareStream(this.broker);
      this.relay = new Relay({
        database: this.database,
        stream: this.relayStream.stream,
        lease: new Lease(this.database, 'relay', { holder: this.broker.nodeID }),
        logger: this.logger,
      });
      this.outbox = this.relay;
      this.relay.start();
    },
    async stopped() {
      await this.relay?.stop();
      await this.relayStream?.release();
    },
  });
}
