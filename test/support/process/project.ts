/** The project as its own programs find it: its folder, and how package.json says that it is started. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the project. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const RUNNER = /^node_modules\//;

/** What `npm start` gives to node: flags of node's own, and the program with its arguments. */
export function startCommand(): { flags: string[]; program: string[] } {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const [, command] = /^exec node (.*)$/.exec(scripts.start) ?? [];
  if (command === undefined) throw new Error(`npm start does not run node: ${scripts.start}`);
  const words = command.replaceAll('"', '').split(' ');
  const program = words.findIndex((word) => RUNNER.test(word));
  return { flags: words.slice(0, program), program: words.slice(program) };
}
