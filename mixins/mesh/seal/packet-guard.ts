/** Sits between a broker and its transporter: seals outgoing packets, and drops incoming ones that are not of this mesh. */
import type { KeyObject } from 'node:crypto';
import type { ServiceBroker } from 'moleculer';
import { MESH_REFUSED_TOTAL } from '../../metrics/metric-names.ts';
import { PacketSeal, type SealState } from './packet-seal.ts';
import { faultOf, leaveOutRequestID, type ThisNode } from './stranger-packet.ts';

/** A packet as Moleculer's transit passes it on. */
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
  #thisNode!: ThisNode;
  /** The meta objects of requests that came sealed. A packet cannot put itself into this set. */
  readonly #sealedMeta = new WeakSet<object>();
  /** The seal of the packet being received. One field is enough: transit handles a packet before `receive` returns. */
  #arriving: SealState = 'unsealed';
  readonly #warnedAt = new Map<string, number>();

  constructor(keys: readonly KeyObject[]) {
    this.#keys = keys;
  }

  /** Must be called when the broker is created, before it connects. */
  begin(broker: ServiceBroker): void {
    this.#broker = broker;
    this.#seal = new PacketSeal({ keys: this.#keys, nodeID: broker.nodeID });
    this.#thisNode = {
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

  /** Whether the request with this meta came sealed. */
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
        const state = this.#seal.check(type, data);
        const reason = this.#reasonAgainst(state, type, data);
        if (reason !== undefined) return this.#refuse(type, reason, data);
        this.#arriving = state;
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
    // The answer to an unsealed request must not pass for the answer to a sealed request with the same id.
    if (type === 'RES' && !(payload?.meta && this.#sealedMeta.has(payload.meta))) return data;
    return this.#seal.seal(type, target, data);
  }

  /** Why a packet is refused: one of `REASONS`; undefined when it is accepted. */
  #reasonAgainst(state: SealState, type: string, data: Buffer): string | undefined {
    if (state === 'sealed') return undefined;
    return state === 'unsealed' ? faultOf(type, data, this.#thisNode) : state;
  }

  #refuse(packet: string, reason: string, data: Buffer): Promise<false> {
    this.#broker.metrics.increment(MESH_REFUSED_TOTAL, { packet, reason });
    const now = Date.now();
    if (now - (this.#warnedAt.get(reason) ?? 0) >= WARN_EVERY_MS) {
      this.#warnedAt.set(reason, now);
      // Without a seal the name of the sender proves nothing.
      const { sender } = (reason in REASONS_SEALED ? JSON.parse(data.toString()) : {}) as { sender?: string };
      const from = sender === undefined ? '' : ` of node ${sender}`;
      this.#broker.logger.warn(`Refused a packet${from} from NATS (${packet}): ${REASONS[reason]}`);
    }
    return Promise.resolve(false);
  }

  /** Sends stacks of errors to nodes of this mesh only: they reveal how this process is built. */
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

/** Reasons to refuse packets that nodes of this mesh have sealed. */
const REASONS_SEALED = {
  stale: 'its seal is too old or from the future; check that the clocks of the nodes agree',
  replayed: 'it was received before',
};

/** All reasons: their names in the metric, their texts in the log. */
const REASONS: Record<string, string> = {
  ...REASONS_SEALED,
  unsealed: 'it does not carry the seal of this mesh; nodes of one mesh need the same AUTH_JWT_SECRET or MESH_SECRET',
  malformed: 'it does not follow the Moleculer protocol, or its sender or id contains forbidden characters',
  large: 'it is larger than any request needs to be',
  unknown: 'it requests an action that this node does not have',
  stream: 'streams are accepted from nodes of this mesh only',
};
