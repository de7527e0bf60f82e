/** The chart as a picture. */
import type { Comparison } from '../statistics.ts';
import { barsOf } from './bars.ts';

const ROW = 30;
const TOP = 56;
const LEFT = 250;
const BAR_WIDTH = 360;
const WIDTH = LEFT + BAR_WIDTH + 330;
const BETTER = '#2563eb';
const WORSE = '#b45309';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Draws the comparisons under a title line. */
export function svgOf(comparisons: readonly Comparison[], subtitle: string): string {
  const { bars, even } = barsOf(comparisons);
  const height = TOP + bars.length * ROW + 20;
  const line = LEFT + even * BAR_WIDTH;
  const rows = bars.map(({ scenario, title, left, right, ratio, label, length }, i) => {
    const y = TOP + i * ROW;
    const width = Math.max(1, length * BAR_WIDTH).toFixed(1);
    return [
      `  <text x="${LEFT - 12}" y="${y + 17}" text-anchor="end">${escaped(`${scenario}: ${title}`)}</text>`,
      `  <rect x="${LEFT}" y="${y + 4}" width="${width}" height="18" rx="2" fill="${ratio >= 1 ? BETTER : WORSE}"/>`,
      `  <text x="${LEFT + length * BAR_WIDTH + 8}" y="${y + 17}"><tspan font-weight="bold">${escaped(label)}</tspan> ` +
        `<tspan fill="#6b7280">${escaped(`${left} · ${right}`)}</tspan></text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"
  font-family="system-ui, sans-serif" font-size="13" fill="#111827">
  <rect width="100%" height="100%" fill="#ffffff"/>
  <text x="16" y="24" font-size="16" font-weight="bold">How many times as good as the hand-written answer</text>
  <text x="16" y="42" fill="#6b7280" font-size="12">${escaped(subtitle)}</text>
${rows.join('\n')}
  <line x1="${line.toFixed(1)}" y1="${TOP - 4}" x2="${line.toFixed(1)}" y2="${height - 14}" stroke="#111827" stroke-dasharray="3 3"/>
</svg>
`;
}
