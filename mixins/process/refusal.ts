/** How a start ends that cannot succeed: one clear line, exit code 1. */
import { DatabaseAbsent } from '../database/database-absent.ts';
import { EmbeddedPostgresError } from '../database/embedded/binaries.ts';
import { SchemaTooNew } from '../database/migrations.ts';
import { SettingError } from '../settings/setting-reader.ts';

/** The process cannot start. Its message is the one line the operator sees. */
export class StartRefused extends Error {}

/** The line for a failure of the start. What is not an ordinary failure is named with its kind. */
export function refusalLine(error: unknown): string {
  const expected = [StartRefused, SettingError, DatabaseAbsent, EmbeddedPostgresError, SchemaTooNew];
  const kind = error instanceof Error && !expected.some((type) => error instanceof type) ? `${error.name}: ` : '';
  const message = error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : String(error);
  return `Waybill cannot start: ${kind}${message}`.replaceAll(/\s*\n\s*/g, '; ');
}

/** Says why the process cannot start, and ends it. */
export function refuseStart(error: unknown): never {
  process.stderr.write(`${refusalLine(error)}\n`);
  process.exit(1);
}
