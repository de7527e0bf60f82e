/** The port through which events leave a service and reach those that asked for them. */
import type { DomainEvent } from '../../../machines/shared/domain-event.ts';
import type { Lease } from '../lease.ts';

/** The stream cannot be reached at all: every event would fail, so trying others now is useless. */
export class StreamUnavailable extends Error {}

/** The stream will never take this event (it is too large): repeating is useless. */
export class EventRefused extends Error {}

/** Someone who is owed every event of some types, by name. */
export interface Consumer {
  /** Stable over restarts: what is owed is remembered under it. */
  readonly name: string;
  /** The event types, exactly. */
  readonly types: readonly string[];
  /** Of all processes with a consumer of this name only the lease's holder is handed events. */
  readonly lease: Lease;
}

/** Handles one event. Resolves once what it did is durable; a rejection means: again, later. */
export type HandleEvent = (event: DomainEvent) => Promise<void>;

export interface Subscription {
  /** Takes no further event and waits for the handlers under way. The consumer is still owed what comes meanwhile. */
  close(): Promise<void>;
}

/**
 * Carries events at least once. Every consumer is handed the events of one key in the order in which they were
 * published: a failing one is repeated with growing pauses and holds back the later ones of its key, no others.
 */
export interface EventStream {
  /** Whether events can be carried now: who has no link to the stream leaves its work to nodes that have one. */
  readonly reachable: boolean;
  /**
   * Resolves once the event can no longer be lost. Publishing the same event id again is harmless.
   * @throws StreamUnavailable when the stream is away; EventRefused when it will never take this event.
   */
  publish(event: DomainEvent): Promise<void>;
  /** The types of which somebody is told; undefined when that cannot be known here. Others need not be published. */
  heard(): readonly string[] | undefined;
  /** Begins to hand events over; resolves at once, also while the stream is away. */
  subscribe(consumer: Consumer, handle: HandleEvent): Promise<Subscription>;
  close(): Promise<void>;
}

/** True for what looks like an event. Says nothing of its data. */
export function isDomainEvent(value: unknown): value is DomainEvent {
  if (typeof value !== 'object' || value === null) return false;
  const { id, type, key } = value as Record<string, unknown>;
  return [id, type, key].every((field) => typeof field === 'string' && field.length > 0);
}
