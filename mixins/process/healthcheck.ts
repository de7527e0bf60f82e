/** The container's health check, a separate program: exits 0 when the process with the same settings is ready. */
import { environment } from '../settings/settings.ts';
import { SettingReader } from '../settings/setting-reader.ts';
import { readMetricsPort } from './metrics-port.settings.ts';

const TIMEOUT_MS = 4_000;
/** The wildcard addresses that a server can listen on, and the address to connect to for each. */
const LOOPBACK: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };

try {
  const settings = readMetricsPort(new SettingReader(environment()));
  if (settings === undefined) throw new Error('METRICS_PORT is not set: set it to enable the health check');
  const host = LOOPBACK[settings.host] ?? (settings.host.includes(':') ? `[${settings.host}]` : settings.host);
  const answer = await fetch(`http://${host}:${settings.port}/health/ready`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!answer.ok) throw new Error(await answer.text());
} catch (error) {
  console.error(reasonOf(error));
  process.exitCode = 1;
}

/** The message of an error with its cause: fetch itself only says "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message || cause.name}` : message;
}
