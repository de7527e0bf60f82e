/** The seal of packets between nodes: proves that a holder of the mesh secret wrote a packet, now, for this node. */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';

/**
 * What the seal of a packet proves. `sealed`: a holder of the secret wrote it for this node, and it was not seen before.
 * `stale`: the same, but too long ago, in the future, or for an earlier run of this node. `replayed`: it was seen before.
 * `unsealed`: nothing; it has no seal, or one of another mesh.
 */
export type SealState = 'sealed' | 'stale' | 'replayed' | 'unsealed';

/** No caller waits longer for an answer, so older packets are useless. */
const MAX_AGE_MS = 30_000;
/** How far the sender's clock may be ahead. */
export const MAX_AHEAD_MS = 10_000;
/** A seal is remembered for as long as it is valid, so that no copy of its packet is accepted. */
const REMEMBER_MS = MAX_AGE_MS + MAX_AHEAD_MS;
/** Beyond this many the oldest are forgotten sooner, to bound the memory. */
const REMEMBER_AT_MOST = 500_000;

// `{…,"seal":"<µs><*|=><HMAC-SHA256>"}`: still JSON, so that a peer without the secret can read the packet.
const HEAD = Buffer.from(',"seal":"');
const TAIL = Buffer.from('"}');
const SEAL_LENGTH = HEAD.length + 16 + 1 + 43 + TAIL.length;
const SEAL = /^(\d{16})([*=])([\w-]{43})"\}$/;
/** Precedes the MAC of a packet for every node, and of one for a single node. */
const TO_ALL = '*';
const TO_ONE = '=';

export interface PacketSealOptions {
  /** The first key seals, all of them are accepted. */
  keys: readonly KeyObject[];
  /** The name of this node. */
  nodeID: string;
  /** Milliseconds of the wall clock. */
  now?: () => number;
}

/**
 * Seals packets and checks seals. A seal covers every byte of the packet, its type, its receiver and its time: it cannot
 * be moved to another packet or node, nor used twice.
 */
export class PacketSeal {
  readonly #keys: readonly KeyObject[];
  readonly #nodeID: string;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #born = performance.now();
  #seen = new Set<number>();
  #seenBefore = new Set<number>();
  #turnedAt: number;
  #sealedAt = 0;

  constructor({ keys, nodeID, now = Date.now }: PacketSealOptions) {
    this.#keys = keys;
    this.#nodeID = nodeID;
    this.#now = now;
    this.#startedAt = now();
    this.#turnedAt = this.#startedAt;
  }

  /** Adds the seal to a packet, a JSON object with at least one member. Without a target the packet is for every node. */
  seal(type: string, target: string | null | undefined, packet: Buffer): Buffer {
    const body = packet.subarray(0, -1);
    // Never the same twice, so that equal packets get different seals; follows a clock that is set back by over a second.
    const now = this.#now() * 1_000;
    this.#sealedAt = now > this.#sealedAt || this.#sealedAt - now > 1_000_000 ? now : this.#sealedAt + 1;
    const time = String(this.#sealedAt);
    const mac = macOf(this.#keys[0] as KeyObject, type, time, target ?? TO_ALL, body);
    return Buffer.concat([body, HEAD, Buffer.from(time + (target ? TO_ONE : TO_ALL) + mac, 'latin1'), TAIL]);
  }

  /** Checks the seal of a received packet. */
  check(type: string, packet: Buffer): SealState {
    const body = packet.subarray(0, -SEAL_LENGTH);
    const seal = packet.subarray(-SEAL_LENGTH);
    if (body.length === 0 || !seal.subarray(0, HEAD.length).equals(HEAD)) return 'unsealed';
    const [, time = '', to = '', given = ''] = SEAL.exec(seal.toString('latin1', HEAD.length)) ?? [];
    const target = to === TO_ALL ? TO_ALL : this.#nodeID;
    const known = this.#keys.some((key) => equal(macOf(key, type, time, target, body), given));
    return known ? this.#judge(type, Number(time) / 1_000, given) : 'unsealed';
  }

  #judge(type: string, at: number, mac: string): SealState {
    const now = this.#now();
    if (now - at > MAX_AGE_MS || at - now > MAX_AHEAD_MS) return 'stale';
    // Only the call that waits for an answer takes it, once.
    if (type === 'RES') return 'sealed';
    // This node does not know what it received before it started. Once it has run for a while, such packets are too old
    // anyway, whatever the wall clock does.
    if (at < this.#startedAt && performance.now() - this.#born < REMEMBER_MS) return 'stale';
    const id = Buffer.from(mac.slice(0, 8), 'base64url').readUIntBE(0, 6);
    if (this.#seen.has(id) || this.#seenBefore.has(id)) return 'replayed';
    if (now - this.#turnedAt >= REMEMBER_MS || this.#seen.size >= REMEMBER_AT_MOST) {
      this.#seenBefore = this.#seen;
      this.#seen = new Set();
      this.#turnedAt = now;
    }
    this.#seen.add(id);
    return 'sealed';
  }
}

function macOf(key: KeyObject, type: string, time: string, target: string, body: Buffer): string {
  return createHmac('sha256', key).update(`${type}\n${time}\n${target}\n`).update(body).digest('base64url');
}

/** Compares texts in a time that does not reveal where they differ. */
function equal(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one, 'latin1'), Buffer.from(other, 'latin1'));
}
