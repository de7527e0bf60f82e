/** Ends a start that cannot succeed: one clear line, exit code 1. */
import { DatabaseAbsent } from '../database/database-absent.ts';
import { EmbeddedPostgresError } from '../database/embedded/binaries.ts';
import { SchemaTooNew } from '../database/migrations.ts';
import { SettingError } from '../settings/setting-reader.ts';
import { lineOutsideBroker } from './log-format.ts';

/** The process cannot start. The message is the one line that the operator sees. */
export class StartRefused extends Error {}

/** The line for a failed start. An unexpected error is prefixed with its name. */
export function refusalLine(error: unknown): string {
  const expected = [StartRefused, SettingError, DatabaseAbsent, EmbeddedPostgresError, SchemaTooNew];
  const kind = error instanceof Error && !expected.some((type) => error instanceof type) ? `${error.name}: ` : '';
  const message = error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : String(error);
  return `Waybill cannot start: ${kind}${message}`.replaceAll(/\s*\n\s*/g, '; ');
}

/** Prints why the process cannot start, and ends it with exit code 1. */
export function refuseStart(error: unknown): never {
  process.stderr.write(`${lineOutsideBroker('fatal', refusalLine(error))}\n`);
  process.exit(1);
}
