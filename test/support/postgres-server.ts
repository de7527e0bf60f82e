/** The one PostgreSQL server of a test run: the embedded one, in a folder of its own. */
import { rm } from 'node:fs/promises';
import { startEmbeddedPostgres } from '../../mixins/database/embedded/embedded-postgres.ts';
import { newFolder } from './new-folder.ts';

/** Tells the workers, which jest starts afterwards, where the server is. */
export const SERVER_VARIABLE = 'WAYBILL_TEST_POSTGRES';

/** Starts the server; the answer stops it and removes its folder. */
export async function startTestServer(): Promise<() => Promise<void>> {
  const folder = await newFolder();
  const server = await startEmbeddedPostgres({ dataDir: folder });
  process.env[SERVER_VARIABLE] = server.url;
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
