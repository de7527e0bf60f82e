/** The settings of the port that shows a process's metrics and health. */
import type { SettingReader } from '../settings/setting-reader.ts';

/** Where a process shows its metrics and its health. */
export interface MetricsPortSettings {
  /** METRICS_HOST: the address it listens on. Nobody is asked for a token there. */
  host: string;
  /** METRICS_PORT: the port; 0 is any free one. */
  port: number;
}

/** Reads where the process can be watched; undefined without a METRICS_PORT. @throws SettingError */
export function readMetricsPort(read: SettingReader): MetricsPortSettings | undefined {
  const host = read.text('METRICS_HOST') ?? '127.0.0.1';
  if (read.text('METRICS_PORT') === undefined) return undefined;
  return { host, port: read.integer('METRICS_PORT', 0, 0, 65_535) };
}
