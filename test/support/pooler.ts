/** A pgbouncer before a database, for one test file; a machine need not have one. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { startChild } from './child.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { query } from './postgres.ts';
import type { Program } from './process/program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const NOBODY = 65_534;

export interface Pooler {
  /** The address of the same database through the pooler. */
  readonly url: string;
  /** Ends it at once, with all its connections, and starts it again. */
  restart(): Promise<void>;
}

/** The version of this machine's, 121 for 1.21; undefined when it has none. */
export function poolerVersion(): number | undefined {
  const program = poolerProgram();
  if (program === undefined) return undefined;
  const [, major, minor] = /(\d+)\.(\d+)/.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout) ?? [];
  return Number(major) * 100 + Number(minor);
}

/** The program, if this machine has it: the one that PGBOUNCER names, or one in the PATH. */
function poolerProgram(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return process.env.PGBOUNCER ?? folders.map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path));
}

/** Starts one for the database at `url`, with these settings of its own. */
export async function startPooler(url: string, settings: Readonly<Record<string, string>>): Promise<Pooler> {
  const { username, password, hostname, port: serverPort, pathname } = new URL(url);
  const folder = await temporaryFolder();
  const port = await freePort();
  const users = join(folder, 'users.txt');
  const configuration = join(folder, 'pgbouncer.ini');
  const lines = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: users,
    max_client_conn: '200',
    default_pool_size: '30',
    ...settings,
  };
  await writeFile(users, `"${username}" "${password}"\n`);
  await writeFile(
    configuration,
    [
      '[databases]',
      `${pathname.slice(1)} = host=${hostname} port=${serverPort}`,
      '[pgbouncer]',
      ...Object.entries(lines).map(([name, value]) => `${name} = ${value}`),
    ].join('\n'),
  );
  await Promise.all([users, configuration].map((file) => chmod(file, 0o644)));
  const through = new URL(url);
  through.host = `127.0.0.1:${port}`;
  let program: Program;
  const start = async (): Promise<void> => {
    // It refuses to run as root.
    const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    program = startChild(poolerProgram() as string, [configuration], user);
    await eventually(() => query(through.href, 'SELECT 1'));
  };
  await start();
  return {
    url: through.href,
    restart: async () => {
      await program.kill();
      await start();
    },
  };
}
