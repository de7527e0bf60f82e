/** What tests of the outbox and the streams share: a schema with its tables, events, and parts that stop by themselves. */
import type { DomainEvent } from '../../machines/shared/domain-event.ts';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
import { Lease } from '../../mixins/events/lease.ts';
import { outboxTables, outboxTypes } from '../../mixins/events/outbox/outbox.schema.ts';
import { Relay } from '../../mixins/events/outbox/relay.ts';
import type { EventStream } from '../../mixins/events/stream/event-stream.ts';
import { plainBroker } from './broker.ts';
import { afterTheTest } from './endings.ts';
import { createDatabase, query } from './postgres.ts';

export const SCHEMA = 'tracking';

/** A database with the tables of an outbox in the schema `tracking`; `open` gives one more node's connections to it. */
export async function eventDatabase(): Promise<{ url: string; open: () => Database }> {
  const url = await createDatabase();
  await query(url, `CREATE SCHEMA ${SCHEMA}; ${outboxTables(SCHEMA)} ${outboxTypes(SCHEMA)}`);
  return {
    url,
    open: () => {
      const database = openDatabase(url, SCHEMA, 4);
      afterTheTest(() => database.close());
      return database;
    },
  };
}

/** Number `n` of the events of a key. */
export function eventOf(key: string, n: number): DomainEvent {
  const at = new Date(0).toISOString();
  const data = { orderId: 1, trackingNumber: 'TRK-1', carrier: 'DHL', status: 'ON_THE_WAY', location: null };
  return { id: `${key}-${n}`, type: 'shipment.updated', key, at, data: { ...data, estimatedDelivery: at } };
}

/** Which of its key's events it is. */
export const numberOf = ({ id, key }: DomainEvent): number => Number(id.slice(key.length + 1));

/** `perKey` events of each of `keys` keys, dealt over rows as batches of commits would. */
export function rowsOf(keys: number, perKey: number): DomainEvent[][] {
  return Array.from({ length: perKey }, (_, n) =>
    Array.from({ length: keys }, (_key, key) => eventOf(`shipment-${key}`, n)),
  );
}

/** Rows of a node that does not name its event types, unless `types` are given. */
export async function writeRows(database: Database, rows: unknown[], types?: readonly string[]): Promise<void> {
  await database.query(
    `INSERT INTO ${SCHEMA}.outbox (events, types) SELECT event::json, $2::text[]
       FROM unnest($1::text[]) WITH ORDINALITY AS row (event, nth) ORDER BY nth`,
    [rows.map((row) => JSON.stringify(row)), types ?? null],
  );
}

/** The numbers of each key's events, in the order in which they came. */
export class Received {
  readonly byKey = new Map<string, number[]>();
  count = 0;

  add(event: DomainEvent): void {
    this.count++;
    const numbers = this.byKey.get(event.key) ?? [];
    numbers.push(numberOf(event));
    this.byKey.set(event.key, numbers);
  }
}

export function leaseOf(database: Database, name: string): Lease {
  const lease = new Lease(database, name);
  lease.start();
  afterTheTest(() => lease.stop());
  return lease;
}

export function startRelay(database: Database, stream: EventStream): Relay {
  const relay = new Relay({ database, stream, lease: new Lease(database, 'relay'), logger: silentLogger() });
  relay.start();
  afterTheTest(() => relay.stop());
  return relay;
}

export function silentLogger() {
  return plainBroker().logger;
}
