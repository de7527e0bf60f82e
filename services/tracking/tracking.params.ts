/** The fastest-validator schemas of the tracking actions. Every fault is reported at once, with its field. */
import { RESERVED_STATUSES } from '../../machines/shipment/shipment.machine.ts';
import { identifier, isStorable, text, isInstant } from '../../mixins/params/params.ts';
import type { AddEventParams } from './tracking.types.ts';

/** The maximum number of free fields in a timeline entry, besides the named ones. */
export const MAX_FREE_FIELDS = 50;
/** The maximum length of a free field's name, in characters. */
export const MAX_FIELD_NAME = 100;
/** The maximum nesting depth of `details` and free fields. */
export const MAX_DEPTH = 8;
/** The maximum size of `details` and all free fields together, in bytes of JSON. */
export const MAX_FREE_BYTES = 16_384;

/** The named fields of an entry; all others are free. */
const NAMED: ReadonlySet<string> = new Set(['trackingNumber', 'status', 'location', 'details', 'timestamp']);
// Copying these names into an object could change its prototype.
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const STATUS = /^[A-Za-z][A-Za-z0-9_]{0,49}$/;

/** A fault as fastest-validator's custom checks report it. */
interface Fault {
  type: string;
  message: string;
  field?: string;
  expected?: unknown;
  actual?: unknown;
}

/** Any text: one that is not a tracking number is answered with NotFound. */
const trackingNumber = { type: 'string' };

export const createShipmentParams = {
  $$strict: true,
  orderId: identifier,
  customerId: { ...identifier, optional: true },
  customerName: { ...text(200), optional: true },
  deliveryAddress: text(500),
  carrier: text(50),
};

export const voidShipmentParams = { $$strict: true, orderId: identifier };

export const getShipmentParams = { $$strict: true, trackingNumber };

export const listShipmentsParams = { $$strict: true, orderId: identifier };

/** Not strict: carriers may add free fields, which are stored. */
export const addEventParams = {
  trackingNumber,
  status: {
    type: 'string',
    custom(value: unknown, errors: Fault[]) {
      if (typeof value !== 'string') return value;
      if (!STATUS.test(value)) {
        errors.push({
          type: 'status',
          message:
            "The 'status' field must be a letter followed by letters, digits and underscores, at most 50 characters.",
        });
      } else if (RESERVED_STATUSES.includes(value.toUpperCase())) {
        errors.push({
          type: 'statusReserved',
          message: `The 'status' field must not be ${RESERVED_STATUSES.join(' or ')}: only the service sets these.`,
        });
      }
      return value;
    },
  },
  location: { ...text(200), optional: true },
  timestamp: {
    type: 'string',
    optional: true,
    custom(value: unknown, errors: Fault[]) {
      if (typeof value === 'string' && !isInstant(value)) {
        errors.push({
          type: 'timestamp',
          message: "The 'timestamp' field must be an RFC 3339 date and time, such as 2026-01-31T09:30:00Z.",
        });
      }
      return value;
    },
  },
  details: {
    type: 'any',
    optional: true,
    // `details` and all free fields share one size limit, so they are checked together.
    custom(
      value: unknown,
      errors: Fault[],
      _schema: unknown,
      _path: unknown,
      _parent: unknown,
      { data }: { data: Partial<AddEventParams> },
    ) {
      const free = freeFieldsOf(data);
      const names = Object.keys(free);
      if (names.length > MAX_FREE_FIELDS) {
        const message = `An event may have at most ${MAX_FREE_FIELDS} free fields, not ${names.length}.`;
        errors.push({ type: 'freeFieldsCount', field: 'details', message });
        return value;
      }
      errors.push(...faultsOfNames(names));
      let sound = true;
      for (const [field, part] of Object.entries({ details: value, ...free })) {
        const reason = reasonNotJson(part, MAX_DEPTH);
        if (!reason) continue;
        sound = false;
        const name = field.slice(0, MAX_FIELD_NAME);
        errors.push({ type: 'freeField', field: name, message: `The '${name}' field ${reason}.` });
      }
      if (sound && Buffer.byteLength(JSON.stringify([value, free])) > MAX_FREE_BYTES) {
        errors.push({
          type: 'freeFieldsSize',
          field: 'details',
          message: `The 'details' field and all free fields together must be at most ${MAX_FREE_BYTES} bytes of JSON.`,
        });
      }
      return value;
    },
  },
};

/** The free fields of an entry, as stored. */
export function freeFieldsOf(params: Partial<AddEventParams>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(params).filter(([name, value]) => !NAMED.has(name) && value !== undefined));
}

function faultsOfNames(names: string[]): Fault[] {
  const faults: Fault[] = [];
  for (const field of names) {
    const reason = reasonNotName(field);
    if (reason) faults.push({ type: 'fieldName', field: field.slice(0, MAX_FIELD_NAME), message: reason });
  }
  return faults;
}

function reasonNotName(name: string): string | undefined {
  if (FORBIDDEN_NAMES.has(name)) return `A field must not be named ${name}.`;
  if (name === '' || name.length > MAX_FIELD_NAME || !isStorable(name)) {
    return `A field name must have 1 to ${MAX_FIELD_NAME} characters, without NUL or unpaired surrogates.`;
  }
  return undefined;
}

/** Why a value cannot be stored as JSON; undefined when it can. Stops at `depth`, so hostile nesting costs nothing. */
function reasonNotJson(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : 'must not contain NUL or unpaired surrogates';
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'must not contain NaN or infinities';
  if (typeof value === 'boolean' || value === null || value === undefined) return undefined;
  if (typeof value !== 'object') return 'must be JSON';
  if (depth === 0) return `must not nest deeper than ${MAX_DEPTH} levels`;
  for (const [name, part] of Object.entries(value)) {
    if (!Array.isArray(value) && reasonNotName(name)) return 'has a field with an invalid name';
    const reason = reasonNotJson(part, depth - 1);
    if (reason) return reason;
  }
  return undefined;
}
