/** The keys of one mesh, derived from its secret: one for packets between nodes, one for events in the stream. */
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** Of each list the first key signs, and all of them are believed: so a secret can be changed without a gap. */
export interface MeshKeys {
  readonly packets: readonly KeyObject[];
  readonly events: readonly KeyObject[];
}

/** The keys of these secrets, in their order. Nothing of a secret can be read from its keys. */
export function deriveMeshKeys(secrets: readonly string[]): MeshKeys {
  return {
    packets: secrets.map((secret) => derive(secret, 'waybill mesh packets')),
    events: secrets.map((secret) => derive(secret, 'waybill mesh events')),
  };
}

function derive(secret: string, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)));
}
