/** What is wrong with a packet that carries no seal: before anything of it is believed, logged or answered. */

/**
 * What anyone may send: a request, which must carry a token then, and the two questions who is there. Whatever says
 * something about this mesh (who is in it, which actions it has, what a call answers) must be sealed to be believed.
 */
const OPEN_TO_ALL: ReadonlySet<string> = new Set(['REQ', 'DISCOVER', 'PING']);

/**
 * Answers are sent to subjects that end in the sender's name. The NATS client writes it as it is: a blank or a line
 * end in it would have this process send what a stranger wrote.
 */
const PLAIN_NAME = /^[^\s*>]{1,256}$/;

interface Unproven {
  ver?: unknown;
  sender?: unknown;
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
  let payload: Unproven | null;
  try {
    payload = JSON.parse(packet.toString()) as Unproven | null;
  } catch {
    return 'malformed';
  }
  if (payload?.ver !== version) return 'malformed';
  if (typeof payload.sender !== 'string' || !PLAIN_NAME.test(payload.sender)) return 'malformed';
  if (type !== 'REQ') return undefined;
  if (typeof payload.action !== 'string' || !hasAction(payload.action)) return 'unknown';
  // A stream is kept for its next piece, for as long as its sender likes.
  return payload.stream || payload.seq ? 'stream' : undefined;
}
