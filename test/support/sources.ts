/** The project's own source as text, for tests that hold it against its rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { ROOT } from './process/project.ts';

/** A file of TypeScript. */
export interface Source {
  /** From the project's folder, with forward slashes. */
  path: string;
  text: string;
  /** Files from the project's folder, or the names of packages. */
  imports: string[];
  /** Those of `imports` that are gone when the program runs. */
  typeImports: string[];
}

/** Every file of TypeScript in a folder of the project. */
export function sourcesIn(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => sourceAt(join(folder, name)));
}

/** The file at this path from the project's folder. */
export function sourceAt(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const matching = (pattern: RegExp): string[] =>
    [...text.matchAll(pattern)]
      .map((match) => match[1] as string)
      .map((name) => (name.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), name)) : name));
  const imports = matching(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g);
  const typeImports = matching(/^(?:import|export) type [^'"]*from\s*['"]([^'"]+)['"]/gm);
  return { path, text, imports, typeImports };
}

/** The text without comments. */
export function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
}
