/** The seal of an event in the stream: it proves that a node holding the mesh secret wrote the event. */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';

/** The header that carries the seal. */
export const SEAL_HEADER = 'Waybill-Seal';

/** The seal of a message. Deterministic, because an event may be published more than once. */
export function sealEvent(key: KeyObject, message: Uint8Array): string {
  return createHmac('sha256', key).update(message).digest('base64url');
}

/** Whether the seal was made for exactly these bytes with one of these keys. */
export function isSealedEvent(keys: readonly KeyObject[], message: Uint8Array, seal: string): boolean {
  const given = Buffer.from(seal, 'base64url');
  if (given.length !== 32) return false;
  return keys.some((key) => timingSafeEqual(createHmac('sha256', key).update(message).digest(), given));
}
