/** Stands between a broker and its transporter: seals what goes out, and keeps out what is not of this mesh. */
import type { KeyObject } from 'node:crypto';
import type { ServiceBroker } from 'moleculer';
import { MESH_REFUSED_TOTAL } from '../../metrics/metric-names.ts';
import { PacketSeal, type Verdict } from './packet-seal.ts';
import { type Door, faultOf, leaveOutRequestID } from './stranger-packet.ts';

/** A packet as Moleculer's transit hands it on. */
interface Packet {
  type: string;
  target: string | null;
  payload: { meta?: object; requestID?: unknown } | null;
}

type Send = (topic: string, data: Buffer, about: { packet: Packet }) => Promise<unknown>;
type Receive = (type: string, data: Buffer) => Promise<unknown> | undefined;
type HandleMessage = (type: string, packet: Packet) => Promise<boolean>;

const WARN_EVERY_MS = 60_000;

/** Seals and checks the packets of one broker. */
export class PacketGuard {
  readonly #keys: readonly KeyObject[];
  #seal!: PacketSeal;
  #broker!: ServiceBroker;
  #door!: Door;
  /** The meta of requests that came sealed: known by identity, which nothing in a packet can forge. */
  readonly #sealedMeta = new WeakSet<object>();
  /** The verdict on the packet that is being received: transit handles it before `receive` returns. */
  #arriving: Verdict = 'unsealed';
  readonly #warnedAt = new Map<string, number>();

  constructor(keys: readonly KeyObject[]) {
    this.#keys = keys;
  }

  /** Called when the broker is made, before it connects. */
  begin(broker: ServiceBroker): void {
    this.#broker = broker;
    this.#seal = new PacketSeal({ keys: this.#keys, nodeID: broker.nodeID });
    this.#door = {
      version: broker.PROTOCOL_VERSION,
      hasAction: (name) => broker.registry.getActionEndpoints(name)?.hasLocal() ?? false,
    };
    this.#hideStacks(broker);
    broker.metrics.register({
      type: 'counter',
      name: MESH_REFUSED_TOTAL,
      description: 'Packets from NATS that were refused',
      labelNames: ['packet', 'reason'],
    });
  }

  /** Whether the request whose meta this is came sealed. */
  isSealed(meta: object): boolean {
    return this.#sealedMeta.has(meta);
  }

  /** Moleculer's hooks around a transporter. */
  readonly hooks = {
    transporterSend: (next: Send): Send => {
      return (topic, data, about) => next(topic, this.#outgoing(data, about.packet), about);
    },
    transporterReceive: (next: Receive): Receive => {
      return (type, data) => {
        const verdict = this.#seal.check(type, data);
        const fault = verdict === 'unsealed' ? faultOf(type, data, this.#door) : verdict;
        if (fault !== undefined && fault !== 'sealed') return this.#refuse(type, fault, data);
        this.#arriving = verdict;
        try {
          return next(type, data);
        } finally {
          this.#arriving = 'unsealed';
        }
      };
    },
    transitMessageHandler: (next: HandleMessage): HandleMessage => {
      return (type, packet) => {
        const { payload } = packet;
        if (type === 'REQ' && payload) {
          if (this.#arriving !== 'sealed') leaveOutRequestID(payload);
          else if (payload.meta) this.#sealedMeta.add(payload.meta);
        }
        return next(type, packet);
      };
    },
  };

  #outgoing(data: Buffer, { type, target, payload }: Packet): Buffer {
    // The answer to a request without a seal must not look like one to a sealed request with the same id.
    if (type === 'RES' && !(payload?.meta && this.#sealedMeta.has(payload.meta))) return data;
    return this.#seal.seal(type, target, data);
  }

  #refuse(packet: string, reason: string, data: Buffer): Promise<false> {
    this.#broker.metrics.increment(MESH_REFUSED_TOTAL, { packet, reason });
    const now = Date.now();
    if (now - (this.#warnedAt.get(reason) ?? 0) >= WARN_EVERY_MS) {
      this.#warnedAt.set(reason, now);
      // Only a seal proves who the sender is.
      const { sender } = (reason in OF_OURS ? JSON.parse(data.toString()) : {}) as { sender?: string };
      const from = sender === undefined ? '' : ` of ${sender}`;
      this.#broker.logger.warn(`A packet${from} from NATS (${packet}) is refused: ${WORDS[reason]}`);
    }
    return Promise.resolve(false);
  }

  /** The stack of an error tells how this process is built: it is for nodes of this mesh. */
  #hideStacks({ errorRegenerator }: ServiceBroker): void {
    const regenerator = errorRegenerator as unknown as { extractPlainError: ExtractPlainError };
    const extract = regenerator.extractPlainError.bind(regenerator);
    regenerator.extractPlainError = (error, payload) => {
      const plain = extract(error, payload);
      if (!payload.meta || !this.isSealed(payload.meta)) delete plain.stack;
      return plain;
    };
  }
}

type ExtractPlainError = (error: Error, payload: { meta?: object }) => { stack?: string };

const OF_OURS = {
  stale: 'its seal is too old, or from the future: the clocks of the nodes must agree',
  replayed: 'it was received before',
};

const WORDS: Record<string, string> = {
  ...OF_OURS,
  unsealed: 'it does not carry the seal of this mesh; nodes of one mesh need the same AUTH_JWT_SECRET or MESH_SECRET',
  malformed: 'it is none of Moleculer, or its sender or its id has no proper name',
  large: 'it is larger than any request has to be',
  unknown: 'it asks for an action that this node does not have',
  stream: 'streams are not taken from others',
};
