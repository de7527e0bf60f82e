/** Starts the PostgreSQL server of the test run. Loaded by jest itself, which knows no TypeScript here. */
import { tsImport } from 'tsx/esm/api';

export default async function setup() {
  const { startTestServer } = await tsImport('./postgres-server.ts', import.meta.url);
  globalThis.stopTestServer = await startTestServer();
}
