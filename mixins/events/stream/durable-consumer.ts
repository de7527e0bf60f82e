/** The durable consumer of a service in the stream: where it continues when a process begins to pull. */
import type { Logger } from 'moleculer';
import { AckPolicy, type ConsumerConfig, DeliverPolicy, nanos } from 'nats';
import { consumerStart } from './consumer-start.ts';
import type { Consumer } from './event-stream.ts';
import type { JetStreamLink } from './jetstream-link.ts';

/** How long the server waits for an acknowledgement before it redelivers the event. */
const ACK_WAIT_MS = 30_000;

export interface DurableConsumerOptions {
  consumer: Consumer;
  /** The subjects it receives. */
  filter: string;
  logger: Logger;
}

/** Makes, remakes or takes over the stream's consumer of that name. */
export class DurableConsumer {
  readonly #consumer: Consumer;
  readonly #logger: Logger;
  readonly #config: Partial<ConsumerConfig>;
  #catchingUp = false;
  /** Where a consumer that was deleted to be recreated continues, until that has succeeded. */
  #resumeAt: number | undefined;

  /** The server delivers at most `maxOutstanding` events that are not acknowledged. */
  constructor({ consumer, filter, logger }: DurableConsumerOptions, maxOutstanding: number) {
    this.#consumer = consumer;
    this.#logger = logger;
    this.#config = {
      durable_name: consumer.name,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ACK_WAIT_MS),
      max_ack_pending: maxOutstanding,
      max_deliver: -1,
      filter_subject: filter,
      deliver_policy: DeliverPolicy.StartSequence,
    };
  }

  /**
   * Makes sure that the consumer continues where its acknowledgements end, and that no other process has its events in
   * hand. Gives up when `ours` is no longer true. After a crash halfway, the next process starts at 1.
   */
  async renew(link: JetStreamLink, ours: () => boolean): Promise<void> {
    const { manager, stream } = link;
    const { name } = this.#consumer;
    const found = await consumerStart(link, name, this.#config);
    // In a cluster, a consumer that is made anew needs an election first, and the answer may come too late.
    if (found.usable || (this.#resumeAt !== undefined && found.unused === this.#resumeAt)) {
      this.#resumeAt = undefined;
      return;
    }
    const resumed = found.exists ? undefined : this.#resumeAt;
    // Before the consumer is recreated: if this fails, the next attempt still sees that events may be lost.
    if (found.lost && resumed === undefined) await this.#catchUp(stream, found.exists);
    if (!ours()) return;
    this.#resumeAt = resumed ?? found.from;
    if (found.exists) await manager.consumers.delete(stream, name);
    await manager.consumers.add(stream, { ...this.#config, opt_start_seq: this.#resumeAt });
    this.#resumeAt = undefined;
  }

  /**
   * Brings the consumer's service up to date from the data of the services that published the events.
   * @throws when one of them is away: nothing is missed if this is called again before the consumer is recreated
   */
  async #catchUp(stream: string, known: boolean): Promise<void> {
    const { name, catchUp } = this.#consumer;
    if (!catchUp) return;
    if (!this.#catchingUp) {
      const why = known
        ? `The stream ${stream} may have lost events that consumer ${name} has not handled`
        : `The stream ${stream} does not know consumer ${name}, which is new or was lost with it`;
      this.#logger.info(`${why}: catching up from the services that published them`);
    }
    this.#catchingUp = true;
    await catchUp();
    this.#catchingUp = false;
    this.#logger.info(`Consumer ${name} has caught up`);
  }
}
