/** A broker that is no part of Waybill, in the same mesh: asks each node by name whether it serves. */
import type { ServiceBroker } from 'moleculer';
import { peerBroker } from '../support/process/peer-broker.ts';
import type { WaybillNode } from './waybill-node.ts';

/** A read that goes to the node's database and back; "not found" is an answer too. */
const QUESTIONS: Record<string, [action: string, params: object]> = {
  orders: ['orders.get', { id: 1 }],
  inventory: ['inventory.get', { id: 1 }],
  tracking: ['tracking.get', { trackingNumber: 'TRK-019a0000-0000-7000-8000-000000000000' }],
};
const ANSWER_WITHIN_MS = 3_000;

export class Peer {
  readonly #broker: ServiceBroker;

  constructor(natsUrl: string) {
    this.#broker = peerBroker('chaos', natsUrl);
  }

  async join(): Promise<void> {
    await this.#broker.start();
  }

  async leave(): Promise<void> {
    await this.#broker.stop();
  }

  /** Why nodes do not serve. */
  async deaf(nodes: readonly WaybillNode[]): Promise<string[]> {
    const answers = await Promise.all(nodes.map((node) => this.#ask(node)));
    return answers.filter((answer) => answer !== undefined);
  }

  async #ask({ name, service }: WaybillNode): Promise<string | undefined> {
    const question = QUESTIONS[service];
    if (!question) return undefined;
    const [action, params] = question;
    try {
      await this.#broker.call(action, params, { nodeID: name, timeout: ANSWER_WITHIN_MS });
      return undefined;
    } catch (error) {
      const { type, message } = error as { type?: string; message: string };
      return type === 'NOT_FOUND' ? undefined : `${name} does not answer ${action}: ${type ?? ''} ${message}`;
    }
  }
}
