/** Leaves nothing behind: no server, no folder. */
export default async function teardown() {
  await globalThis.stopTestServer?.();
}
