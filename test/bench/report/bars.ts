/** The chart: one bar per comparison, as long as its ratio. Terminal and SVG show the same. */
import type { Comparison } from '../statistics.ts';

export interface Bar {
  scenario: string;
  title: string;
  /** Both medians with their unit. */
  left: string;
  right: string;
  ratio: number;
  /** The ratio as people read it. */
  label: string;
  /** From 0 to 1, on the scale that all bars share. */
  length: number;
}

export interface Bars {
  bars: Bar[];
  /** Where a ratio of 1 lies on that scale: up to there the right side is better. */
  even: number;
}

/** A figure with its unit, short. */
export function figure(value: number, unit: string): string {
  if (Number.isNaN(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
  return unit.startsWith('/') || unit === '%' ? `${text}${unit}` : `${text} ${unit}`;
}

/** Lays the bars out on a scale from nothing to the longest, on which 1 always has a place. */
export function barsOf(comparisons: readonly Comparison[]): Bars {
  const longest = Math.max(1, ...comparisons.map(({ ratio }) => (Number.isFinite(ratio) ? ratio : 0)));
  return {
    even: 1 / longest,
    bars: comparisons.map(({ scenario, title, unit, left, right, ratio }) => ({
      scenario,
      title,
      left: `${left.name} ${figure(left.median, unit)}`,
      right: `${right.name} ${figure(right.median, unit)}`,
      ratio,
      label: Number.isFinite(ratio) ? `${ratio.toFixed(2)}×` : '–',
      length: Number.isFinite(ratio) ? ratio / longest : 0,
    })),
  };
}
