/** NATS with JetStream, a database with an outbox, and the events a reader has received: new for each test of a file. */
import { beforeEach } from '@jest/globals';
import { eventDatabase, Received } from './events.ts';
import { type Nats, startNats } from './nats.ts';

export let nats: Nats;
export let events: Awaited<ReturnType<typeof eventDatabase>>;
export let received: Received;

/** Has all three made before each test. */
export function useJetStream(): void {
  beforeEach(async () => {
    nats = await startNats();
    events = await eventDatabase();
    received = new Received();
  });
}
