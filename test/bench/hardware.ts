/** The hardware that a run was measured on. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/process/project.ts';

export interface Surroundings {
  cpu: string;
  cores: number;
  memoryGigabytes: number;
  system: string;
  node: string;
  version: string;
  /** Of the code, with `+` when there were changes that are not committed; null without git. */
  commit: string | null;
}

export function surroundings(): Surroundings {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGigabytes: Math.round((totalmem() / 1_073_741_824) * 10) / 10,
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    version,
    commit: commit(),
  };
}

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

function commit(): string | null {
  try {
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+');
  } catch {
    return null;
  }
}
