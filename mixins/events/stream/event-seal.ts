/** The seal of events in the stream: who has the mesh's secret wrote them. */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';

/** The header that carries the seal. */
export const SEAL_HEADER = 'Waybill-Seal';

/** The seal of a message: the same for the same bytes, as an event may be published more than once. */
export function sealEvent(key: KeyObject, message: Uint8Array): string {
  return createHmac('sha256', key).update(message).digest('base64url');
}

/** Whether one of these keys made this seal for exactly these bytes. */
export function isSealedEvent(keys: readonly KeyObject[], message: Uint8Array, seal: string): boolean {
  const given = Buffer.from(seal, 'base64url');
  if (given.length !== 32) return false;
  return keys.some((key) => timingSafeEqual(createHmac('sha256', key).update(message).digest(), given));
}
