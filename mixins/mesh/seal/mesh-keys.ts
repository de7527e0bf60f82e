/** The keys of a mesh, derived from its secrets: one for packets between nodes, one for events in the stream. */
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** The first key of each list signs and all of them are accepted, so that a secret can be changed without downtime. */
export interface MeshKeys {
  readonly packets: readonly KeyObject[];
  readonly events: readonly KeyObject[];
}

/** The keys of these secrets, in the same order. A key reveals nothing about its secret. */
export function deriveMeshKeys(secrets: readonly string[]): MeshKeys {
  return {
    packets: secrets.map((secret) => derive(secret, 'waybill mesh packets')),
    events: secrets.map((secret) => derive(secret, 'waybill mesh events')),
  };
}

function derive(secret: string, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)));
}
