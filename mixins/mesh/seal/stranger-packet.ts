/** Validates packets without a seal before anything in them is trusted, logged or answered. */

/**
 * The packets that anyone may send: a request, which then needs a token, and the two discovery probes. Packets that state
 * something about the mesh (its nodes, their actions, the answer of a call) must be sealed.
 */
const OPEN_TO_ALL: ReadonlySet<string> = new Set(['REQ', 'DISCOVER', 'PING']);

/**
 * An answer goes to a subject that ends in the sender's name, and the NATS client does not escape it: with a space or a
 * line break in its name, a stranger could make this process send commands to NATS. The name also appears in log lines,
 * which must not contain control characters.
 */
const PLAIN_NAME = /^[^\s*>\p{C}]{1,256}$/u;
/** For the packet id, which an answer repeats, and the request id, which appears in log lines. */
const PLAIN_ID = /^[\x21-\x7e]{1,128}$/;
/**
 * More than any action accepts. Bounded because the answer repeats the id and the meta of its request, and must itself
 * fit into a NATS message.
 */
const MAX_BYTES = 262_144;

/** The fields of a stranger's packet, which may hold anything. */
interface Unproven {
  ver?: unknown;
  sender?: unknown;
  id?: unknown;
  action?: unknown;
  stream?: unknown;
  seq?: unknown;
}

/** What a packet is checked against. */
export interface ThisNode {
  /** The version of Moleculer's protocol that this node speaks. */
  version: string;
  /** Whether this node has an action. Moleculer would log a request for any other, with the name the stranger sent. */
  hasAction: (name: string) => boolean;
}

/** Why the packet is refused, in one word; undefined when it is accepted. */
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
  // Moleculer keeps a stream open for as long as its sender likes.
  return payload.stream || payload.seq ? 'stream' : undefined;
}

/** Removes a request id that could break a log line: Moleculer logs it unescaped. */
export function leaveOutRequestID(payload: { requestID?: unknown }): void {
  if (!isPlainId(payload.requestID)) delete payload.requestID;
}

function isPlainId(id: unknown): boolean {
  return typeof id === 'string' && PLAIN_ID.test(id);
}
