/** What rounds come to: medians, and the ratio of two contestants within each round. */

/** The middle of some numbers; the mean of the two in the middle when their count is even. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Two contestants over some rounds. */
export interface Comparison {
  scenario: string;
  /** The measured values. */
  title: string;
  unit: string;
  /** Which is better: a higher or a lower figure. */
  better: 'higher' | 'lower';
  left: Side;
  right: Side;
  /** How many times as good the left one is: the median of the rounds' ratios. Above 1 the left one is better. */
  ratio: number;
  ratios: number[];
}

export interface Side {
  name: string;
  median: number;
  rounds: number[];
}

type Subject = Pick<Comparison, 'scenario' | 'title' | 'unit' | 'better'>;

/**
 * Compares round by round: the machine may be slower in one round than in another, but it is the same for both sides
 * of one.
 */
export function compare(
  subject: Subject,
  left: { name: string; rounds: number[] },
  right: { name: string; rounds: number[] },
): Comparison {
  const ratios = left.rounds.map((value, i) => {
    const other = right.rounds[i] as number;
    return subject.better === 'higher' ? value / other : other / value;
  });
  return {
    ...subject,
    left: { ...left, median: median(left.rounds) },
    right: { ...right, median: median(right.rounds) },
    ratio: median(ratios),
    ratios,
  };
}

/** How much y grows with x, by least squares. */
export function slope(points: readonly { x: number; y: number }[]): number {
  const mean = (pick: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [middleX, middleY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const spread = points.reduce((sum, { x }) => sum + (x - middleX) ** 2, 0);
  return points.reduce((sum, { x, y }) => sum + (x - middleX) * (y - middleY), 0) / spread;
}
