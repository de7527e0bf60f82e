/** A folder that whoever asks for it removes; tests take `temporaryFolder`. */
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder that every user can walk through, as the database needs when the tests run as root. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-test-'));
  await chmod(folder, 0o755);
  return folder;
}
