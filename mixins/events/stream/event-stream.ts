/** The port through which services publish events and subscribe to them. */
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import type { Lease } from '../lease.ts';

/** The stream is unreachable: every event would fail, so others are not tried either. */
export class StreamUnavailable extends Error {}

/** The stream will never accept this event, for example because it is too large: do not retry. */
export class EventRefused extends Error {}

/** A named, durable consumer of some event types. */
export interface Consumer {
  /** Stable across restarts: the stream remembers the consumer's position by this name. */
  readonly name: string;
  /** The exact event types. */
  readonly types: readonly string[];
  /** Of all processes with a consumer of this name, only the lease's holder receives events. */
  readonly lease: Lease;
  /**
   * Brings its service up to date from the data of the services that published the events. Called before the first event
   * is delivered when the stream may have lost events; retried until it succeeds.
   */
  readonly catchUp?: () => Promise<void>;
}

/** Handles one event. Resolves once its effects are durable; a rejection makes the stream retry later. */
export type HandleEvent = (event: DomainEvent) => Promise<void>;

export interface Subscription {
  /** Stops taking events and waits for running handlers. The stream keeps later events for the consumer. */
  close(): Promise<void>;
}

/**
 * Delivers events at least once. Every consumer receives the events of one key in the order of publication: a failing
 * event is retried with backoff and holds back later events of its key only.
 */
export interface EventStream {
  /** Whether this process is connected to the stream; if not, it leaves its work to nodes that are. */
  readonly reachable: boolean;
  /**
   * Resolves once the event is durable. Publishing the same event id again is harmless.
   * @throws StreamUnavailable when the stream is unreachable; EventRefused when it will never accept this event.
   */
  publish(event: DomainEvent): Promise<void>;
  /** The event types that have subscribers; undefined when unknown. Other types need not be published. */
  heard(): readonly string[] | undefined;
  /** Starts delivering events; resolves at once, even while the stream is unreachable. */
  subscribe(consumer: Consumer, handle: HandleEvent): Promise<Subscription>;
  close(): Promise<void>;
}

/** Whether a value has the shape of an event. Does not check its data. */
export function isDomainEvent(value: unknown): value is DomainEvent {
  if (typeof value !== 'object' || value === null) return false;
  const { id, type, key } = value as Record<string, unknown>;
  return [id, type, key].every((field) => typeof field === 'string' && field.length > 0);
}
