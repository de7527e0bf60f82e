/** What is wrong with a packet that carries no seal: before anything of it is believed, logged or answered. */

/**
 * What anyone may send: a request, which then needs a token, and the two packets that ask who is there. Whatever says
 * something about this mesh (who is in it, which actions it has, what a call answers) must be sealed to be believed.
 */
const OPEN_TO_ALL: ReadonlySet<string> = new Set(['REQ', 'DISCOVER', 'PING']);

/**
 * An answer goes to a subject that ends in the sender's name, which the NATS client writes as it is: with a blank or a line
 * end in it, a stranger could have this process send commands to NATS. It also stands in log lines, where other control
 * characters must not.
 */
const PLAIN_NAME = /^[^\s*>\p{C}]{1,256}$/u;
/** For the id that an answer repeats, and for the request id that stands in log lines. */
const PLAIN_ID = /^[\x21-\x7e]{1,128}$/;
/**
 * More than any action takes. The answer repeats the id and the meta of its request, and must itself be small enough for
 * NATS.
 */
const MAX_BYTES = 262_144;

/** What a stranger's packet says: anything may be in it. */
interface Unproven {
  ver?: unknown;
  sender?: unknown;
  id?: unknown;
  action?: unknown;
  stream?: unknown;
  seq?: unknown;
}

/** What a packet is held against. */
export interface ThisNode {
  /** The version of Moleculer's protocol that is spoken here. */
  version: string;
  /** Whether this node has an action. Moleculer would log a request for any other, with the name that the stranger gave. */
  hasAction: (name: string) => boolean;
}

/** A word for what is wrong with the packet; undefined when its sender may be heard. */
export function faultOf(type: string, packet: Buffer, { version, hasAction }: ThisNode): string | undefined {
  if (!OPEN_TO_ALL.has(type)) return 'unsealed';
  if (packet.length > MAX_BYTES) return 'large';
  let payload: Unproven | null;
  try {
    payload = JSON.parse(packet.toString()) as Unproven | null;
  } catch {
    return 'malformed';
  }
  if (payload?.ver !== version) return 'malformed';
  if (typeof payload.sender !== 'string' || !PLAIN_NAME.test(payload.sender)) return 'malformed';
  if (payload.id !== undefined && !isPlainId(payload.id)) return 'malformed';
  if (type !== 'REQ') return undefined;
  if (typeof payload.action !== 'string' || !hasAction(payload.action)) return 'unknown';
  // Moleculer keeps a stream open for its next piece, for as long as its sender likes.
  return payload.stream || payload.seq ? 'stream' : undefined;
}

/** Takes out the id of a request when it could break a line: Moleculer writes it into its log as it came. */
export function leaveOutRequestID(payload: { requestID?: unknown }): void {
  if (!isPlainId(payload.requestID)) delete payload.requestID;
}

function isPlainId(id: unknown): boolean {
  return typeof id === 'string' && PLAIN_ID.test(id);
}
