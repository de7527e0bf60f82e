/** Where the embedded database of a data folder listens. */
export function embeddedUrl(_dataDir: string): string {
  throw new Error('to be written by the embedded PostgreSQL');
}
