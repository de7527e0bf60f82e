/** Checks the tests against their own rules: how they begin and end, and what they must not touch. */
import { expect, test } from '@jest/globals';
import { type Source, sourcesIn, withoutComments } from '../support/sources.ts';

const LINE_LIMIT = 250;

const all = sourcesIn('test');
const files = all.filter(({ path }) => path.endsWith('.test.ts'));
const byPath = new Map(all.map((source) => [source.path, source]));

/** The files whose code has this in it. */
const having = (pattern: RegExp, among = all): string[] =>
  among.filter(({ text }) => pattern.test(withoutComments(text))).map(({ path }) => path);

test('no test writes the environment, except for the address of the server of a worker', () => {
  expect(having(/\bprocess\.env(\.\w+|\[[^\]]+\])?\s*(\?\?=|=(?!=))|\bdelete process\.env/)).toEqual([
    'test/support/postgres-server.ts',
  ]);
});

test('brokers are created in one place for tests, and in one for programs without Jest', () => {
  expect(having(/\bnew ServiceBroker\(/).toSorted()).toEqual([
    'test/support/broker.ts',
    'test/support/process/peer-broker.ts',
  ]);
});

test('one file knows how programs are started, and one how Waybill is', () => {
  expect(having(/\bspawn\(/)).toEqual(['test/support/process/program.ts']);
  expect(having(/scripts\.start/).filter((path) => path.startsWith('test/support/'))).toEqual([
    'test/support/process/project.ts',
  ]);
  expect(having(/moleculer[-]runner/)).toEqual([]);
});

test('a test waits for what it wants to see, and never for time to pass', () => {
  expect(having(/import \{[^}]*\bsetTimeout\b[^}]*\} from 'node:timers|\bsetTimeout\(/, files)).toEqual([]);
});

/** What a file loads, and what that loads. */
function loadedBy(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const { imports = [], typeImports = [] }: Partial<Source> = byPath.get(path) ?? {};
  for (const imported of imports) if (!typeImports.includes(imported)) loadedBy(imported, seen);
  return seen;
}

test.each(['test/chaos/main.ts', 'test/bench/main.ts', 'test/simulation/main.ts'])('%s does not need Jest', (main) => {
  expect(byPath.has(main)).toBe(true);
  expect([...loadedBy(main)]).not.toContain('@jest/globals');
});

test(`no file of the tests outgrows ${LINE_LIMIT} lines`, () => {
  const long = all.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
  expect(long.filter(({ lines }) => lines > LINE_LIMIT)).toEqual([]);
});

test('every file of the tests opens with a sentence that says what it is', () => {
  expect(all.filter(({ text }) => !text.startsWith('/**')).map(({ path }) => path)).toEqual([]);
});
