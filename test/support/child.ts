/** Child processes of tests: none outlives its test file. */
import { afterTheFile } from './endings.ts';
import { type Program, type ProgramOptions, startProgram } from './process/program.ts';
import { nothingInherited } from './process/waybill-process.ts';
import { ROOT } from './process/project.ts';

/** Starts a program. The environment is that of the tests, changed by `env`; undefined takes a variable away. */
export function startChild(program: string, args: readonly string[], options: ProgramOptions = {}): Program {
  return startProgram(program, args, { ...options, cleanUp: afterTheFile });
}

/** Starts a program of the project's own in its folder, with no settings but those given. */
export function startOwn(program: string, args: readonly string[], env: Record<string, string> = {}): Program {
  return startChild(program, args, { cwd: ROOT, env: { ...nothingInherited(), ...env } });
}

/** Runs a TypeScript file of the project, as its own commands do. */
export function startScript(file: string, args: readonly string[] = [], env: Record<string, string> = {}): Program {
  return startOwn(process.execPath, ['--import', 'tsx', file, ...args], env);
}
