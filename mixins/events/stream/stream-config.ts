/** The JetStream stream as it has to be: made, or brought up to date, with as many copies as are asked for. */
import type { Logger } from 'moleculer';
import {
  DiscardPolicy,
  type JetStreamManager,
  NatsError,
  type NatsConnection,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from 'nats';
import { isNotFound, STREAM_MAX_AGE_MS } from './jetstream-link.ts';

const DUPLICATE_WINDOW_MS = 2 * 60_000;
/** Copies in a cluster: with three the loss of any one server loses nothing, and stops nobody. */
const COPIES_IN_A_CLUSTER = 3;
/** What a server says that cannot keep so many copies: it is alone, or knows too few others. */
const TOO_FEW_SERVERS: ReadonlySet<number> = new Set([10_005, 10_074]);

export interface WantedStream {
  name: string;
  subjects: string[];
  /** NATS_REPLICAS; undefined: three in a cluster, one elsewhere. */
  replicas: number | undefined;
}

/**
 * Makes the stream, or changes what of it is different. Without a setting it takes what the servers can do, and says what
 * that means when it is one copy.
 * @throws NatsError when the servers cannot keep as many copies as the setting asks for
 */
export async function ensureStream(
  connection: NatsConnection,
  manager: JetStreamManager,
  { name, subjects, replicas }: WantedStream,
  logger: Logger,
): Promise<void> {
  const copies = replicas ?? (connection.info?.cluster === undefined ? 1 : COPIES_IN_A_CLUSTER);
  const wanted: Partial<StreamConfig> = {
    subjects,
    num_replicas: copies,
    max_age: nanos(STREAM_MAX_AGE_MS),
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  };
  let kept: number;
  try {
    kept = await apply(manager, name, wanted);
  } catch (error) {
    if (replicas !== undefined || !isTooFewServers(error)) throw error;
    kept = await apply(manager, name, { ...wanted, num_replicas: 1 });
  }
  if (kept > 1) return;
  logger.warn(
    `The stream ${name} has one copy: what a NATS server holds is lost with its disk. Run three servers as a cluster, and set NATS_REPLICAS=3`,
  );
}

/** Answers how many copies the stream has then. */
async function apply(manager: JetStreamManager, name: string, wanted: Partial<StreamConfig>): Promise<number> {
  try {
    const { config } = await manager.streams.info(name);
    if (!differs(config, wanted)) return config.num_replicas;
    return (await manager.streams.update(name, { ...config, ...wanted })).config.num_replicas;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    // When another node is faster with the same settings this succeeds all the same.
    const made = await manager.streams.add({
      name,
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      ...wanted,
    });
    return made.config.num_replicas;
  }
}

function differs(present: StreamConfig, wanted: Partial<StreamConfig>): boolean {
  return (
    present.max_age !== wanted.max_age ||
    present.duplicate_window !== wanted.duplicate_window ||
    present.num_replicas !== wanted.num_replicas ||
    present.subjects.join() !== wanted.subjects?.join()
  );
}

const isTooFewServers = (error: unknown): boolean =>
  error instanceof NatsError && TOO_FEW_SERVERS.has(error.api_error?.err_code ?? 0);
