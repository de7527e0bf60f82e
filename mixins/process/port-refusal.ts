/** Explains in one line why the process cannot listen on a port. */
import { StartRefused } from './refusal.ts';

/** An address for the process to listen on. */
export interface Port {
  host: string;
  port: number;
}

/** The refusal for an error of `listen`. `prefix` precedes PORT and HOST in the names of the settings. */
export function portRefusal(error: unknown, { host, port }: Port, prefix: '' | 'METRICS_' = ''): StartRefused {
  const { code, message } = error as NodeJS.ErrnoException;
  const [portSetting, hostSetting] = [`${prefix}PORT=${port}`, `${prefix}HOST=${host}`];
  if (code === 'EADDRINUSE') {
    return new StartRefused(
      `${portSetting} is already in use on ${host}: set another port, or stop the process that uses it`,
    );
  }
  if (code === 'EACCES') {
    return new StartRefused(`${portSetting} cannot be used: this user may not listen on it, set a port above 1023`);
  }
  return new StartRefused(`${hostSetting} cannot be used: this machine has no such address (${code ?? message})`);
}
