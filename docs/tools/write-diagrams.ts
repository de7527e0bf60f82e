/** `npm run docs:diagrams`: writes the pages generated from the code. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LIFECYCLE_FILE, lifecyclePage } from './lifecycle.ts';

const ROOT = new URL('../../', import.meta.url);

writeFileSync(fileURLToPath(new URL(LIFECYCLE_FILE, ROOT)), lifecyclePage());
console.log(`Wrote ${LIFECYCLE_FILE}`);
