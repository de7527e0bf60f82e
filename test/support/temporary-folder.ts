/** Folders of tests. */
import { rm } from 'node:fs/promises';
import { afterTheFile } from './endings.ts';
import { newFolder } from './new-folder.ts';

/** A new folder. It is removed with the test file, after all that was started later and may use it. */
export async function temporaryFolder(): Promise<string> {
  const folder = await newFolder();
  afterTheFile(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
