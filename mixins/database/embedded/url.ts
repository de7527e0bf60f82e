/** The address of the embedded database of a data folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, readServerNote } from './cluster.ts';
import { homeOf } from './place.ts';

/**
 * The address of the server that runs on this data folder, password included.
 * @throws Error when no process has started it
 */
export function embeddedUrl(dataDir: string): string {
  const home = homeOf(dataDir);
  const note = readServerNote(join(home, 'cluster'));
  if (!note) throw new Error(`no embedded PostgreSQL runs in ${dataDir}: set DATABASE_URL or run npm start first`);
  return addressOf(note.port, readFileSync(join(home, 'password'), 'utf8').trim());
}
