/** The end of a run, for people: the chart, what an order cost, figures of the engine alone, and the verdict. */
import type { Fact, Figures, Turn } from '../figures.ts';
import type { Cost } from '../counters.ts';
import { median } from '../statistics.ts';
import { barsOf, figure } from './bars.ts';

const BAR_WIDTH = 30;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** All of it, as text. */
export function reportOf({ comparisons, facts, turns, invalid }: Figures): string {
  const parts = [chart(comparisons), table(facts), costs(turns), verdict(invalid)];
  return parts.filter((part) => part !== '').join('\n\n');
}

function chart(comparisons: Figures['comparisons']): string {
  if (comparisons.length === 0) return '';
  const { bars, even } = barsOf(comparisons);
  const mark = Math.round(even * BAR_WIDTH);
  const lines = bars.map(({ scenario, title, left, right, label, length }) => [
    scenario,
    title,
    `${bar(length, mark)} ${label}`,
    left,
    right,
  ]);
  return `How many times as good (medians of rounds; up to ┊ the other side is better)\n\n${columns(lines)}`;
}

/** A bar of a length from 0 to 1; `mark` is the column of a ratio of 1. */
export function bar(length: number, mark: number): string {
  const eighths = Math.round(length * BAR_WIDTH * 8);
  const drawn = ('█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]).padEnd(BAR_WIDTH);
  return drawn[mark] === ' ' ? `${drawn.slice(0, mark)}┊${drawn.slice(mark + 1)}` : drawn;
}

function table(facts: readonly Fact[]): string {
  return columns(facts.map(({ scenario, title, value, unit }) => [scenario, title, figure(value, unit)]));
}

const COST_COLUMNS: [keyof Cost, string, string][] = [
  ['processUs', 'its process', 'µs'],
  ['postgresUs', 'PostgreSQL', 'µs'],
  ['walBytes', 'WAL', 'B'],
  ['writes', 'transactions', ''],
  ['statements', 'statements', ''],
];

/** What an order cost, by connections: medians of the rounds of `cost`. */
function costs(turns: readonly Turn[]): string {
  const rows = new Map<string, Turn[]>();
  for (const turn of turns.filter(({ scenario }) => scenario === 'cost')) {
    const key = `${turn.contestant}\n${turn.connections}`;
    rows.set(key, [...(rows.get(key) ?? []), turn]);
  }
  if (rows.size === 0) return '';
  const shown = COST_COLUMNS.filter(([name]) => [...rows.values()].flat().some(({ cost }) => cost[name] !== null));
  const figures = (of: readonly Turn[]): string[] =>
    shown.map(([name, , unit]) => figure(median(of.map(({ cost }) => cost[name] ?? Number.NaN)), unit));
  const lines = [...rows].map(([key, of]) => key.split('\n').concat(figures(of)));
  return `What an order costs\n\n${columns([['', 'connections', ...shown.map(([, title]) => title)], ...lines])}`;
}

function verdict(invalid: readonly string[]): string {
  if (invalid.length === 0) return 'The books balance.';
  return `INVALID: these figures do not count.\n${invalid.map((reason) => `  ${reason}`).join('\n')}`;
}

function columns(lines: readonly string[][]): string {
  const widths = (lines[0] ?? []).map((_cell, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
