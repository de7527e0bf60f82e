/** Why a port cannot be listened on, as the one line that ends a start. */
import { StartRefused } from './refusal.ts';

/** Where the process is going to listen. */
export interface Port {
  host: string;
  port: number;
}

/** The refusal for an error of `listen`. `prefix` is what the names of the settings have before PORT and HOST. */
export function portRefusal(error: unknown, { host, port }: Port, prefix: '' | 'METRICS_' = ''): StartRefused {
  const { code, message } = error as NodeJS.ErrnoException;
  const [portSetting, hostSetting] = [`${prefix}PORT=${port}`, `${prefix}HOST=${host}`];
  if (code === 'EADDRINUSE') {
    return new StartRefused(`${portSetting} cannot be used: something else listens on ${host}:${port}`);
  }
  if (code === 'EACCES') {
    return new StartRefused(`${portSetting} cannot be used: this user may not listen on it, give one above 1023`);
  }
  return new StartRefused(`${hostSetting} cannot be used: this machine has no such address (${code ?? message})`);
}
