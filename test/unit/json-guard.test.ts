/** The guard in front of the JSON parser: it accepts all safe texts and nothing else. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MalformedBody } from '../../mixins/gateway/gateway.failures.ts';
import { countFields, MAX_DEPTH, MAX_ENTRIES, refuseDoubles } from '../../mixins/gateway/request/json-guard.ts';

function guard(text: string): void {
  const fields = countFields(Buffer.from(text));
  refuseDoubles(text, JSON.parse(text), fields);
}

// Names and texts made of what has a meaning in JSON.
const tricky = fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ':', ',', 'u', 'é', '🙂', ' ') });
const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 5, withCrossShrink: true }, fc.jsonValue(), tricky, tie('list'), tie('object')),
  list: fc.array(tie('any'), { maxLength: 4 }),
  object: fc.dictionary(fc.oneof(tricky, fc.constantFrom('__proto__', 'constructor', '1')), tie('any'), { maxKeys: 4 }),
})).object;

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const list = (length: number): string => `[${Array.from({ length }, () => 1).join(',')}]`;

describe('the guard', () => {
  test('accepts every object that JSON.stringify writes, with or without spaces', () => {
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 2), (object, indent) => {
        guard(JSON.stringify(object, undefined, indent));
      }),
      { numRuns: 1_000 },
    );
  });

  test('refuses every object with a duplicate field, at any depth, and names the field', () => {
    fc.assert(
      fc.property(value, tricky, fc.boolean(), (object, name, inside) => {
        const field = JSON.stringify(name);
        const double = `{${field}:${JSON.stringify(object)},${field}:1}`;
        const text = inside ? `{"a":[${double}]}` : double;
        const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name;
        expect(() => guard(text)).toThrow(
          new MalformedBody(`The body contains the field '${shown}' twice: send each field once`),
        );
      }),
      { numRuns: 500 },
    );
  });

  test.each(['{"a":1,"\\u0061":2}', '{"__proto__":1,"__proto__":2}', '{"a":{"b":[{"c":1,"c":1}]}}'])(
    'finds the double in %s',
    (text) => {
      expect(() => guard(text)).toThrow(MalformedBody);
    },
  );

  test('treats the same field in two objects as two fields', () => {
    guard('{"items":[{"id":1},{"id":1}],"id":{"id":1}}');
  });

  test(`lets ${MAX_DEPTH} levels through and no more, and does not count those inside of a text`, () => {
    guard(nested(MAX_DEPTH));
    guard(JSON.stringify({ a: '[{'.repeat(1_000) }));
    expect(() => guard(nested(MAX_DEPTH + 1))).toThrow(`The body must not be nested deeper than ${MAX_DEPTH} levels`);
    expect(() => countFields(Buffer.from('{"a":'.repeat(100_000)))).toThrow(MalformedBody);
  });

  test(`lets ${MAX_ENTRIES} elements through and no more`, () => {
    guard(list(MAX_ENTRIES));
    expect(() => guard(list(MAX_ENTRIES + 1))).toThrow(`more than ${MAX_ENTRIES} fields and elements`);
  });

  test('leaves invalid JSON to the parser', () => {
    for (const text of ['', '"', '"\\', '{"a":', ']]]]', '{"a" "b"}'])
      expect(() => countFields(Buffer.from(text))).not.toThrow();
  });
});
