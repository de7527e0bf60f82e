/** What JSON allows and a reader cannot bear: a nesting or a length without end, and a field that is there twice. */
import { MalformedBody } from '../gateway.failures.ts';

/** How deep objects and arrays of a body may lie in each other, the body itself included. */
export const MAX_DEPTH = 32;
/** How many fields and elements a body may have: each costs the checks behind it much more than its bytes. */
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
 * How many fields the objects of a JSON text have together, doubles included. One look at each byte outside of strings:
 * it costs much less than the parsing. The text may still be no JSON.
 * @throws MalformedBody for a nesting that is too deep, and for too many fields and elements
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
      if (++depth > MAX_DEPTH) throw new MalformedBody(`The body may not nest deeper than ${MAX_DEPTH} levels`);
    } else if (byte === CLOSES_OBJECT || byte === CLOSES_ARRAY) depth--;
  }
  // Whatever has two parts has a comma between them.
  if (commas >= MAX_ENTRIES) {
    throw new MalformedBody(`The body may have at most ${MAX_ENTRIES} fields and elements: send less at a time`);
  }
  return fields;
}

/** Where the string ends that begins here. */
function endOfString(text: Buffer, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1;
  return at;
}

/**
 * Refuses a field that an object of the body has twice: of such fields the parser keeps the last one, another reader
 * of the same bytes may keep the first.
 * @param fields how many there are in the text
 * @throws MalformedBody that names such a field
 */
export function refuseDoubles(text: string, value: unknown, fields: number): void {
  if (fieldsOf(value) === fields) return;
  throw new MalformedBody(`The body has the field '${firstDouble(text)}' twice: send each field once`);
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
/** Characters of a caller's field name that are said back to it. */
const SHOWN_NAME = 100;

/** Only called for a text that has one. */
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
