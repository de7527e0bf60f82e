/** The container's health check, a program of its own: exits 0 when the process of this container is ready. */
import { environment } from '../settings/settings.ts';

const TIMEOUT_MS = 4_000;

try {
  const { METRICS_PORT: port = '9464' } = environment();
  const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(await answer.text());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
