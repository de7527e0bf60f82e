/** JSON as text that no writer of JSON would write: doubled keys, numbers past all bounds, bytes that are no text. */
import fc, { type Arbitrary } from 'fast-check';
import { strangeName } from './poison.ts';

/** Ways to spoil the text of an object. The name is one that the object has, or a strange one. */
const SPOILERS: readonly ((text: string, name: string) => string | Buffer)[] = [
  (text, name) => `{${JSON.stringify(name)}:1,${text.slice(1)}`,
  (text, name) => `${text.slice(0, -1)},${JSON.stringify(name)}:{"a":1}}`,
  (text, name) => `{${JSON.stringify(name)}:1e400,${text.slice(1)}`,
  (text) => text.replace(/:\d+/, ':-0'),
  (text) => text.replace(/:\d+/, ':1e400'),
  (text) => text.replace(/:\d+/, ':1.0000000000000000000000000001'),
  (text) => text.replace(/:\d+/, `:${'9'.repeat(2_000)}`),
  (text) => text.replace(/:\d+/, ':NaN'),
  (text) => text.replace(/:\d+/, ':01'),
  (text) => text.replace(/:"[^"]*"/, String.raw`:"\ud800"`),
  (text) => text.replace(/:"[^"]*"/, String.raw`:"\u0000"`),
  (text) => text.replace(/:"[^"]*"/, ':"\u0001"'),
  (text) => text.replaceAll('"', "'"),
  (text) => text.slice(0, text.length / 2),
  (text) => `${text}${text}`,
  (text) => `${text}\0`,
  (text) => `\ufeff${text}`,
  (text) => `/* */${text}`,
  (text) => `[${text}]`,
  (text) => `"${text}"`,
  (text) => `${' '.repeat(50_000)}${text}`,
  (text) => text.replace(/:[^,}]*/, `:${'['.repeat(50_000)}${']'.repeat(50_000)}`),
  (text) => text.replace(/:[^,}]*/, `:${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`),
  (text) => text.replace(/:[^,}]*/, `:${'['.repeat(50_000)}`),
  (text) => Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0xc0, 0x80, 0x7d])]),
  (text) => Buffer.from(text, 'utf16le'),
  (text) => Buffer.from(`${text.slice(0, -1)},"x":"${'A'.repeat(1_048_576)}"}`),
  () => '',
  () => '{"a":1,}',
  () => '{}'.padEnd(100, '}'),
];

/** The text of a valid object, spoilt. */
export function brokenJson(valid: Arbitrary<object>): Arbitrary<Buffer> {
  return fc
    .tuple(valid, fc.constantFrom(...SPOILERS), strangeName, fc.nat(50))
    .map(([value, spoil, strange, where]) => {
      const names = Object.keys(value);
      const name = where % 2 === 0 || names.length === 0 ? strange : (names[where % names.length] as string);
      return Buffer.from(spoil(JSON.stringify(value), name));
    });
}
