/** The types of the actor model: an actor's memory, the work it owes, and its ports to the outside. */

/** The bookkeeping of an actor's owed work, as stored in its row. Times are set by the database. */
export interface Work {
  /** The node that works on it; null while it is at rest or waits for its next attempt. */
  readonly owner: string | null;
  /** Failed attempts at the work currently owed. */
  readonly attempt: number;
  readonly lastError: string | null;
}

/** An actor as stored in its row. Replaced as a whole, and only after a commit. */
export interface Memory<State> {
  readonly id: number;
  readonly state: State;
  /** Incremented by every write of the row; each write names the version it read. */
  readonly version: number;
  readonly work: Work;
}

/** When an actor's work is due next, as recorded by the write. */
export type Due =
  /** Nothing is owed. */
  | { at: 'rest' }
  /** This node continues now, and owns the work for one lease. */
  | { at: 'lease' }
  /** An attempt failed: any node may retry after the pause. */
  | { at: 'pause'; pauseMs: number; attempt: number; lastError: string }
  /** No further attempts: an operator must intervene. */
  | { at: 'parked'; attempt: number; lastError: string };

/** A change to commit, of the state, the work, or both. */
export interface Change<State, Decision> {
  readonly memory: Memory<State>;
  /** The decided step; undefined when only the work changes. */
  readonly decision: Decision | undefined;
  readonly due: Due;
}

/** The result of an effect: an event, and the failure of any part that is still owed. */
export interface Answer<Event> {
  readonly event: Event;
  readonly failure?: Error;
}

/** The ports of an actor host: the machine, the store and the effects. */
export interface ActorPorts<State, Event, Decision, Effect extends string = string> {
  /** Pure. Undefined when the event's work is already done; throws when the state does not allow the event. */
  decide(state: State, event: Event, at: number): Decision | undefined;
  /** Pure. The state after a decision. */
  after(decision: Decision): State;
  /** Pure. The effects that the state owes. */
  owed(state: State): readonly Effect[];
  load(id: number): Promise<Memory<State> | undefined>;
  /** Commits a change. Undefined, with nothing written, when the row is no longer at the version that was read. */
  save(change: Change<State, Decision>): Promise<Memory<State> | undefined>;
  /** Performs an effect idempotently. When it throws, the effect may or may not have taken place. */
  perform(effect: Effect, memory: Memory<State>): Promise<Answer<Event>>;
  /** True when retrying cannot succeed, so an operator must intervene. */
  isFinal(error: Error): boolean;
  /** True when no node of the peer was reachable: not counted as an attempt, so the work is never parked for it. */
  isAbsence(error: Error): boolean;
  /** True when the error means that the state does not allow an event, rather than an outage. */
  isRefusal(error: unknown): boolean;
  now(): number;
}

/** How an actor host retries. Milliseconds. */
export interface ActorPolicy {
  /** The noun for an actor in messages. */
  noun: string;
  /** This process's node id in the mesh, the owner of its leases. */
  node: string;
  retryBaseMs: number;
  retryCapMs: number;
  maxAttempts: number;
  /** The maximum number of commands queued for one actor. */
  maxMailbox: number;
  /** The source of jitter; Math.random by default. */
  random?: () => number;
}
