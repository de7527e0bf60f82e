/** Where the embedded database of a data folder listens. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, readServerNote } from './cluster.ts';
import { homeOf } from './place.ts';

/**
 * The address of the server that runs on this data folder, password included. The server must have been started, by
 * this process or another.
 */
export function embeddedUrl(dataDir: string): string {
  const home = homeOf(dataDir);
  const note = readServerNote(join(home, 'cluster'));
  if (!note) throw new Error(`no embedded PostgreSQL runs in ${dataDir}: set DATABASE_URL, or begin with npm start`);
  return addressOf(note.port, readFileSync(join(home, 'password'), 'utf8').trim());
}
