/** The project's Markdown, taken apart for tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './process/project.ts';

/** A page of the project. */
export interface Page {
  /** From the project's folder, with forward slashes. */
  path: string;
  text: string;
}

/** One page. */
export function page(path: string): Page {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

const isPage = (name: string): boolean => name.endsWith('.md');

/** Every page: those of the project's folder, and all of `docs`. */
export function allPages(): Page[] {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter(isPage);
  return [...readdirSync(ROOT).filter(isPage), ...below.map((name) => join('docs', name))].map(page);
}

/** The cells of each row of the page's tables, headings and rules left out, whose first cell matches. */
export function rows({ text }: Page, firstCell: RegExp): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter(([first = '']) => firstCell.test(first));
}

/** A cell without its backquotes. */
export const plain = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '');

/** The page without its blocks of code. */
export const prose = ({ text }: Page): string => text.replaceAll(/^```[\s\S]*?^```$/gm, '');

/** Where the page's links and pictures lead. */
export function links(given: Page): string[] {
  return [...prose(given).matchAll(/\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g)].map(
    (match) => (match[1] ?? match[2]) as string,
  );
}

/** The anchors of a page's headings, as GitHub names them. */
export function anchors(given: Page): string[] {
  return [...prose(given).matchAll(/^#{1,6} (.+)$/gm)].map((match) =>
    (match[1] as string)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );
}

/** The commands of the page's `curl` examples, joined to one line each. */
export function curls({ text }: Page): string[] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] as string);
  return blocks.flatMap((block) => block.replaceAll('\\\n', ' ').split('\n')).filter((line) => line.startsWith('curl'));
}
