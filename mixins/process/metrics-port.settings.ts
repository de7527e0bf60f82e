/** The settings of the port that serves a process's metrics and health. */
import type { SettingReader } from '../settings/setting-reader.ts';

/** The address at which a process serves its metrics and health. */
export interface MetricsPortSettings {
  /** METRICS_HOST: the address it listens on. Requests there need no token. */
  host: string;
  /** METRICS_PORT: the port; 0 picks any free one. */
  port: number;
}

/** Reads the settings; undefined without a METRICS_PORT. @throws SettingError */
export function readMetricsPort(read: SettingReader): MetricsPortSettings | undefined {
  const host = read.text('METRICS_HOST') ?? '127.0.0.1';
  if (read.text('METRICS_PORT') === undefined) return undefined;
  return { host, port: read.integer('METRICS_PORT', 0, 0, 65_535) };
}
