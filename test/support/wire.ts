/** Somebody with the address of NATS and nothing else: sees all that is sent there, and sends what he likes. */
import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection } from 'nats';
import { afterTheFile } from './endings.ts';
import { eventually } from './eventually.ts';
import type { Nats } from './nats.ts';

/** The fields of a Moleculer packet that tests use. */
export interface SeenPacket {
  /** `REQ`, `RES`, `INFO` … */
  type: string;
  subject: string;
  /** The bytes as they were sent. */
  raw: string;
  payload: {
    id: string;
    sender: string;
    action?: string;
    params?: Record<string, unknown>;
    success?: boolean;
    data?: unknown;
    error?: { type?: string; code?: number; message: string };
  };
}

export class Wire {
  readonly connection: NatsConnection;
  readonly seen: SeenPacket[] = [];

  static async tap(nats: Nats): Promise<Wire> {
    const wire = new Wire(await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 }));
    afterTheFile(() => wire.connection.close());
    await wire.connection.flush();
    return wire;
  }

  private constructor(connection: NatsConnection) {
    this.connection = connection;
    connection.subscribe('MOL-waybill.>', {
      callback: (_error, { subject, data }) => {
        const raw = Buffer.from(data).toString();
        // Invalid packets are ignored; an exception here would end the connection.
        const payload = parsed(raw);
        if (payload) this.seen.push({ type: subject.split('.')[1] as string, subject, raw, payload });
      },
    });
  }

  /** The latest request for an action that was sent to a node. */
  request(action: string, nodeID: string): Promise<SeenPacket> {
    return eventually(() => {
      const found = this.seen.findLast(
        ({ subject, payload }) => subject === `MOL-waybill.REQ.${nodeID}` && payload.action === action,
      );
      if (!found) throw new Error(`no ${action} was sent to ${nodeID}`);
      return found;
    });
  }

  send(subject: string, packet: string | object): void {
    this.connection.publish(`MOL-waybill.${subject}`, typeof packet === 'string' ? packet : JSON.stringify(packet));
  }

  /** Sends a request to a node, with fields as Moleculer writes them unless they are given, and waits for its answer. */
  async ask(nodeID: string, action: string, params: object, fields: object = {}): Promise<SeenPacket['payload']> {
    const request = { ...requestOf(action, params), ...fields };
    this.send(`REQ.${nodeID}`, request);
    return await this.answerTo(request.id, nodeID);
  }

  /** The answer of a node to the request of this id that is sent next, whoever is the one to get it. */
  answerTo(id: string, nodeID: string, after = this.seen.length): Promise<SeenPacket['payload']> {
    return eventually(() => {
      const found = this.seen
        .slice(after)
        .find(({ type, payload }) => type === 'RES' && payload.id === id && payload.sender === nodeID);
      if (!found) throw new Error(`${nodeID} has not answered ${id}`);
      return found.payload;
    });
  }
}

/** A request as Moleculer writes it. */
export function requestOf(action: string, params: object) {
  return { ver: '5', sender: 'stranger', id: randomUUID(), action, params, meta: {}, level: 1, timeout: 5_000 };
}

function parsed(raw: string): SeenPacket['payload'] | undefined {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
