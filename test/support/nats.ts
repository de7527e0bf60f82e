/** A NATS server with JetStream for one test file. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MeshSettings } from '../../mixins/mesh/mesh.settings.ts';
import { readSettings } from '../../services/settings.ts';
import { afterTheFile } from './endings.ts';
import { freePort } from './free-port.ts';
import { startNatsProcess } from './process/nats-process.ts';
import type { Program } from './process/program.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface Nats {
  readonly url: string;
  /** Its log since the last start. */
  log(): string;
  /** Ends it at once, like a crash. What JetStream stored stays. */
  kill(): Promise<void>;
  /** Starts it again at the same address on the same store, with another configuration if one is given. */
  restart(config?: string): Promise<void>;
  /** Starts it again at the same address with an empty disk. */
  restartWithoutDisk(): Promise<void>;
}

export interface NatsOptions {
  /** The text of a configuration file, as an operator writes one. Address, port and store are given beside it. */
  config?: string;
  /** Variables that the configuration refers to. */
  env?: Record<string, string>;
}

/** The settings of a mesh that meets at this address. */
export function meshAt(url: string, settings: Record<string, string> = {}): MeshSettings {
  return readSettings({ TRANSPORTER: url, ...settings }).mesh as MeshSettings;
}

/** The address with what the user `waybill` shows there. */
export function withLogin(url: string, password: string): string {
  const address = new URL(url);
  address.username = 'waybill';
  address.password = password;
  return address.href;
}

/** Starts a server on a free port. It ends with the test file, after all that was started later and may look for it. */
export async function startNats({ config = '', env = {} }: NatsOptions = {}): Promise<Nats> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const configuration = join(folder, 'nats-server.conf');
  let server: Program | undefined;
  const start = async (text: string): Promise<void> => {
    await writeFile(configuration, text);
    server = await startNatsProcess({ port, args: ['-c', configuration, '-js', '-sd', folder], env });
  };
  const kill = async (): Promise<void> => {
    await server?.kill();
  };
  afterTheFile(kill);
  await start(config);
  return {
    url: `nats://127.0.0.1:${port}`,
    log: () => server?.lines.join('\n') ?? '',
    kill,
    restartWithoutDisk: async () => {
      await kill();
      await rm(join(folder, 'jetstream'), { recursive: true });
      await start(config);
    },
    restart: async (changed = config) => {
      await kill();
      await start(changed);
    },
  };
}
