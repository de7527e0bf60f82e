/** What is wrong with a packet that carries no seal: before anything of it is believed, logged or answered. */

/**
 * What anyone may send: a request, which must carry a token then, and the two questions who is there. Whatever says
 * something about this mesh (who is in it, which actions it has, what a call answers) must be sealed to be believed.
 */
const OPEN_TO_ALL: ReadonlySet<string> = new Set(['REQ', 'DISCOVER', 'PING']);

/**
 * Answers are sent to subjects that end in the sender's name. The NATS client writes it as it is: a blank or a line
 * end in it would have this process send what a stranger wrote. It also stands in log lines, as other signs of control
 * must not.
 */
const PLAIN_NAME = /^[^\s*>\p{C}]{1,256}$/u;
/** The id that an answer repeats, and the id of the request that a log line names. */
const PLAIN_ID = /^[\x21-\x7e]{1,128}$/;
/** More than every action takes. The answer repeats the id and the meta of its request, and has to go through NATS as well. */
const MAX_BYTES = 262_144;

/** What a packet of a stranger says; nothing of it is of a known type. */
interface Unproven {
  ver?: unknown;
  sender?: unknown;
  id?: unknown;
  action?: unknown;
  stream?: unknown;
  seq?: unknown;
}

export interface Door {
  /** The version of Moleculer's protocol that is spoken here. */
  version: string;
  /** Whether this node has an action. Moleculer logs each request for another one, with the name that it was given. */
  hasAction: (name: string) => boolean;
}

/** A word for what is wrong with the packet; undefined when its sender may be heard. */
export function faultOf(type: string, packet: Buffer, { version, hasAction }: Door): string | undefined {
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
  // A stream is kept for its next piece, for as long as its sender likes.
  return payload.stream || payload.seq ? 'stream' : undefined;
}

/** Moleculer writes the id of a request into its log as it came: one that could break a line there is left out. */
export function leaveOutRequestID(payload: { requestID?: unknown }): void {
  if (!isPlainId(payload.requestID)) delete payload.requestID;
}

function isPlainId(id: unknown): boolean {
  return typeof id === 'string' && PLAIN_ID.test(id);
}
