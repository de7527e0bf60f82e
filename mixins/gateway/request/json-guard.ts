/** Refuses JSON that is valid but unsafe to accept: too deeply nested, too long, or with duplicate fields. */
import { MalformedBody } from '../gateway.failures.ts';

/** How deep objects and arrays may be nested, the body itself included. */
export const MAX_DEPTH = 32;
/** How many fields and elements a body may have: validating each costs much more than reading its bytes. */
export const MAX_ENTRIES = 10_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENS_ARRAY = 0x5b;
const OPENS_OBJECT = 0x7b;
const CLOSES_ARRAY = 0x5d;
const CLOSES_OBJECT = 0x7d;

/**
 * Counts the fields of all objects in a JSON text, duplicates included. A single pass over the bytes, much cheaper than
 * parsing. The text may still be invalid JSON.
 * @throws MalformedBody when the nesting is too deep, or for too many fields and elements
 */
export function countFields(text: Buffer): number {
  let fields = 0;
  let commas = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === QUOTE) at = endOfString(text, at);
    else if (byte === COLON) fields++;
    else if (byte === COMMA) commas++;
    else if (byte === OPENS_OBJECT || byte === OPENS_ARRAY) {
      if (++depth > MAX_DEPTH) throw new MalformedBody(`The body must not be nested deeper than ${MAX_DEPTH} levels`);
    } else if (byte === CLOSES_OBJECT || byte === CLOSES_ARRAY) depth--;
  }
  // Every object or array with n parts has n - 1 commas.
  if (commas >= MAX_ENTRIES) {
    throw new MalformedBody(`The body must not have more than ${MAX_ENTRIES} fields and elements: split the request`);
  }
  return fields;
}

/** The position of the closing quote of the string that starts at `start`. */
function endOfString(text: Buffer, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1;
  return at;
}

/**
 * Refuses duplicate fields in an object: our parser keeps the last one, another reader of the same bytes may keep the
 * first.
 * @param fields the number of fields in the text
 * @throws MalformedBody that names a duplicate field
 */
export function refuseDoubles(text: string, value: unknown, fields: number): void {
  if (fieldsOf(value) === fields) return;
  throw new MalformedBody(`The body contains the field '${firstDouble(text)}' twice: send each field once`);
}

function fieldsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let fields = 0;
  if (Array.isArray(value)) {
    for (const part of value) fields += fieldsOf(part);
    return fields;
  }
  for (const name in value) fields += 1 + fieldsOf((value as Record<string, unknown>)[name]);
  return fields;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g;
/** How many characters of a field name are repeated to the caller. */
const SHOWN_NAME = 100;

/** The first duplicate field; the text must have one. */
function firstDouble(text: string): string {
  const open: Set<string>[] = [];
  let before = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const name = JSON.parse(before) as string;
      const names = open.at(-1);
      if (names?.has(name)) return name.length > SHOWN_NAME ? `${name.slice(0, SHOWN_NAME)}…` : name;
      names?.add(name);
    }
    before = token;
  }
  return '';
}
