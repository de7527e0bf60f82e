/** Creates the JetStream stream, or updates its configuration. */
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
/** The default in a cluster: with three replicas, losing one server loses no data and causes no outage. */
const COPIES_IN_A_CLUSTER = 3;
/** The error codes of a server that cannot keep so many replicas: it is not in a cluster, or the cluster is too small. */
const TOO_FEW_SERVERS: ReadonlySet<number> = new Set([10_005, 10_074]);

export interface WantedStream {
  name: string;
  subjects: string[];
  /** NATS_REPLICAS; undefined: three in a cluster, else one. */
  replicas: number | undefined;
}

/**
 * Creates the stream, or updates whatever differs. Without a setting it falls back to one replica when the servers cannot
 * keep three. Logs a warning when the stream has one replica.
 * @throws NatsError when the servers cannot keep as many replicas as the setting requires
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
    `The stream ${name} has one replica: if the NATS server loses its disk, unhandled events are lost. Run a cluster of three servers and set NATS_REPLICAS=3`,
  );
}

/** Applies the configuration. Returns the number of replicas that the stream then has. */
async function apply(manager: JetStreamManager, name: string, wanted: Partial<StreamConfig>): Promise<number> {
  try {
    const { config } = await manager.streams.info(name);
    if (!differs(config, wanted)) return config.num_replicas;
    return (await manager.streams.update(name, { ...config, ...wanted })).config.num_replicas;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    // This also succeeds when another node has just created the stream with the same settings.
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
