/**
 * Order ids and order numbers, two forms of one value.
 *
 * An order number `ORD-<uuid>` contains a UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, 12 bits that hold the node's
 * slot (8) and a counter (4), and 62 random bits. The order id consists of the first 60 of those bits, counted from
 * 2026 so that it stays below 2^53. Each form yields the id without an index, ids grow with time on every node, and
 * nodes share no sequence. If two nodes draw the same slot, the primary key rejects a duplicate id and the node draws a
 * new slot.
 */

/** 2026-01-01T00:00:00Z in Unix milliseconds, the epoch of order ids. They stay below 2^53 until 2095. */
export const ID_EPOCH_MS = 1_767_225_600_000;
/** The number of slots that nodes draw from. */
export const NODE_SLOTS = 256;
const PER_MS = 4096;
const COUNTER = 16;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Generates strictly increasing ids, 16 per millisecond; at a higher rate it runs ahead of the clock. */
export class IdGenerator {
  readonly #slot: number;
  #ms = 0;
  #counter = 0;

  constructor(slot: number) {
    this.#slot = slot % NODE_SLOTS;
  }

  /** The next id, given the current time in Unix milliseconds. Ids keep growing when the clock jumps back. */
  next(nowMs: number): number {
    const ms = Math.max(0, Math.trunc(nowMs) - ID_EPOCH_MS);
    if (ms > this.#ms) {
      this.#ms = ms;
      this.#counter = 0;
    } else if (++this.#counter === COUNTER) {
      this.#ms += 1;
      this.#counter = 0;
    }
    return this.#ms * PER_MS + this.#slot * COUNTER + this.#counter;
  }
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The UUIDv7 of an id. Uses 62 bits of `random`, which is 8 bytes long. */
export function uuidOf(id: number, random: Uint8Array): string {
  const ms = Math.floor(id / PER_MS) + ID_EPOCH_MS;
  const time = ms.toString(16).padStart(12, '0');
  const low = (id % PER_MS).toString(16).padStart(3, '0');
  const variant = HEX[((random[0] as number) & 0x3f) | 0x80];
  let tail = '';
  for (let i = 1; i < 8; i++) tail += HEX[random[i] as number];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${low}-${variant}${tail.slice(0, 2)}-${tail.slice(2)}`;
}

/** The id inside a UUID made by `uuidOf`; undefined for any other text. The caller must still compare the whole UUID. */
export function idOf(uuid: string): number | undefined {
  if (!UUID.test(uuid) || uuid[14] !== '7') return undefined;
  const ms = Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16) - ID_EPOCH_MS;
  const id = ms * PER_MS + Number.parseInt(uuid.slice(15, 18), 16);
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}
