/** What an actor is made of: its memory, the work it owes, and the ports through which it reaches the world. */

/** What a row says about the work that is owed for an actor. Times are the database's own. */
export interface Work {
  /** The node that works on it now; null while it rests or waits for its next attempt. */
  readonly owner: string | null;
  /** Failed attempts at what is owed now. */
  readonly attempt: number;
  readonly lastError: string | null;
}

/** An actor as its row has it. Replaced as a whole, and only after a commit. */
export interface Memory<State> {
  readonly id: number;
  readonly state: State;
  /** Grows with every write of the row; each write names the version it read. */
  readonly version: number;
  readonly work: Work;
}

/** When the work of an actor is due again, for the write that says so. */
export type Due =
  /** Nothing is owed. */
  | { at: 'rest' }
  /** This node goes on with it now, and owns it for one lease. */
  | { at: 'lease' }
  /** An attempt failed: any node may try again after the pause. */
  | { at: 'pause'; pauseMs: number; attempt: number; lastError: string }
  /** The attempts are used up: an operator has to look. */
  | { at: 'parked'; attempt: number; lastError: string };

/** A change to commit: of the state, of the work, or both. */
export interface Change<State, Decision> {
  readonly memory: Memory<State>;
  /** The decided step; undefined when only the work changes. */
  readonly decision: Decision | undefined;
  readonly due: Due;
}

/** What performing an effect came to: the answer as an event, and the failure of a part of it that stays owed. */
export interface Answer<Event> {
  readonly event: Event;
  readonly failure?: Error;
}

/** The ports of an actor host: the machine, the store and the world. */
export interface ActorPorts<State, Event, Decision, Effect extends string = string> {
  /** Pure. Undefined when the event finds its work already done; throws when the state does not allow it. */
  decide(state: State, event: Event, at: number): Decision | undefined;
  /** Pure. The state that a decision leads to. */
  after(decision: Decision): State;
  /** Pure. The effects the state owes. */
  owed(state: State): readonly Effect[];
  load(id: number): Promise<Memory<State> | undefined>;
  /** Commits a change. Undefined when the row is not at the version that was read: nothing was written. */
  save(change: Change<State, Decision>): Promise<Memory<State> | undefined>;
  /** Carries out an effect; repeatable. Throws when the attempt failed, which leaves open whether it worked. */
  perform(effect: Effect, memory: Memory<State>): Promise<Answer<Event>>;
  /** True when an attempt failed with an answer that no repeat will change: an operator has to look. */
  isFinal(error: Error): boolean;
  /** True when nobody was there to try: it counts as no attempt, and will not park what is owed, however long it lasts. */
  isAbsence(error: Error): boolean;
  /** True when the error says that the state does not allow an event, as opposed to something being away. */
  isRefusal(error: unknown): boolean;
  now(): number;
}

/** How an actor host retries. Milliseconds. */
export interface ActorPolicy {
  /** What people call an actor, for messages. */
  noun: string;
  /** This process's name in the mesh, the owner of what it leases. */
  node: string;
  retryBaseMs: number;
  retryCapMs: number;
  maxAttempts: number;
  /** Commands that may wait for one actor. */
  maxMailbox: number;
  /** What leaves half of each pause to chance; Math.random by default. */
  random?: () => number;
}
