/** The actor host: queues events in mailboxes, decides them, commits, and only then responds and runs effects. */
import { Overloaded } from '../../machines/shared/failure.ts';
import type { ActorPolicy, ActorPorts, Due, Memory } from './actor.ts';
import { backoffMs } from './backoff.ts';

/** An event on its way to an actor. */
export interface Message<State, Event> {
  event: Event;
  /** Checks the state on which the event is decided; throwing rejects the event. */
  guard?: (state: State) => void;
}

/** Version conflicts after which an event is rejected. In each, another node committed first. */
const MAX_CONFLICTS = 8;

/**
 * One active actor. It lives from its first message until it is idle; its durable state is in its row. Commands are
 * decided one at a time; effects run concurrently, and their results are messages too.
 */
class Actor<State, Event, Decision, Effect extends string> {
  readonly #id: number;
  readonly #ports: ActorPorts<State, Event, Decision, Effect>;
  readonly #policy: ActorPolicy;
  #memory: Memory<State> | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #mailbox = 0;
  #acting: Promise<void> | undefined;

  constructor(id: number, ports: ActorPorts<State, Event, Decision, Effect>, policy: ActorPolicy) {
    this.#id = id;
    this.#ports = ports;
    this.#policy = policy;
  }

  get memory(): Memory<State> | undefined {
    return this.#memory;
  }

  /** Decides and commits an event after all earlier ones. Resolves with the committed state. */
  tell(message: Message<State, Event>): Promise<Memory<State> | undefined> {
    if (this.#mailbox >= this.#policy.maxMailbox) {
      return Promise.reject(
        new Overloaded(`Too many commands are queued for ${this.#policy.noun} ${this.#id}. Retry in a moment`),
      );
    }
    return this.#enqueue(() => this.#handle(message));
  }

  /** Adopts a row that this node has just leased, unless a newer version is already in memory. */
  adopt(memory: Memory<State>): void {
    if (!this.#memory || this.#memory.version < memory.version) this.#memory = memory;
  }

  /** Starts the effects that the current state owes, unless they are running or another node owns them. */
  act(): void {
    if (this.#acting) return;
    this.#acting = this.#payWhatIsOwed().finally(() => {
      this.#acting = undefined;
    });
  }

  get busy(): boolean {
    return this.#mailbox > 0 || this.#acting !== undefined;
  }

  /** Resolves when the mailbox is empty and no effect is running. */
  async pause(): Promise<void> {
    while (this.busy) await (this.#acting ?? this.#tail);
  }

  #enqueue<T>(run: () => Promise<T>): Promise<T> {
    this.#mailbox++;
    const result = this.#tail.then(run).finally(() => {
      this.#mailbox--;
    });
    // The caller handles the failure; the next task only waits for this one to end.
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #handle(message: Message<State, Event>, failure?: Error): Promise<Memory<State> | undefined> {
    let fresh = this.#memory === undefined;
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
      this.#memory ??= await this.#ports.load(this.#id);
      const memory = this.#memory;
      if (!memory) return undefined;
      let decision: Decision | undefined;
      try {
        message.guard?.(memory.state);
        decision = this.#ports.decide(memory.state, message.event, this.#ports.now());
      } catch (error) {
        // The state in memory may be older than the row, so a refusal counts only for a state loaded for this message.
        if (fresh) throw error;
        this.#memory = undefined;
        fresh = true;
        continue;
      }
      if (!decision) return memory;
      const due = this.#dueAfter(decision, failure);
      const saved = await this.#ports.save({ memory, decision, due });
      this.#memory = saved;
      if (saved) {
        if (due.at === 'lease') this.act();
        return saved;
      }
      fresh = true;
    }
    throw new Overloaded(
      `Concurrent changes to ${this.#policy.noun} ${this.#id} kept this request from being applied. Retry in a moment`,
    );
  }

  // A partial failure delays the remaining work instead of continuing it at once.
  #dueAfter(decision: Decision, failure: Error | undefined): Due {
    if (this.#ports.owed(this.#ports.after(decision)).length === 0) return { at: 'rest' };
    return failure ? this.#dueAfterFailure(failure, 0) : { at: 'lease' };
  }

  #dueAfterFailure(error: Error, failedBefore: number): Due {
    const lastError = error.message;
    if (this.#ports.isAbsence(error)) {
      return { at: 'pause', attempt: failedBefore, lastError, pauseMs: this.#pauseMs(failedBefore + 1) };
    }
    const attempt = failedBefore + 1;
    if (attempt >= this.#policy.maxAttempts || this.#ports.isFinal(error)) return { at: 'parked', attempt, lastError };
    return { at: 'pause', attempt, lastError, pauseMs: this.#pauseMs(attempt) };
  }

  #pauseMs(attempt: number): number {
    const { retryBaseMs, retryCapMs, random } = this.#policy;
    return backoffMs(attempt, retryBaseMs, retryCapMs, random);
  }

  async #payWhatIsOwed(): Promise<void> {
    for (;;) {
      const memory = this.#memory;
      if (!memory || memory.work.owner !== this.#policy.node) return;
      const owed = this.#ports.owed(memory.state);
      if (owed.length === 0) return;
      const failures = await Promise.all(owed.map((effect) => this.#pay(effect, memory)));
      for (const [i, failure] of failures.entries()) {
        if (failure && (await this.#enqueue(() => this.#noteFailure(owed[i] as Effect, failure)))) return;
      }
      // A changed state means that the results were committed or another node advanced the row: look again.
      if (this.#memory?.state === memory.state) return;
    }
  }

  /** Performs one effect and commits its result. Returns the failure if the effect is still owed. */
  async #pay(effect: Effect, memory: Memory<State>): Promise<Error | undefined> {
    try {
      const answer = await this.#ports.perform(effect, memory);
      await this.#enqueue(() => this.#handle({ event: answer.event }, answer.failure));
      return undefined;
    } catch (error) {
      // A late result: a command or another node has advanced the actor, so the effect is no longer owed.
      if (this.#ports.isRefusal(error)) return undefined;
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Returns false when the effect is no longer owed because a command or another node has advanced the actor. */
  async #noteFailure(effect: Effect, failure: Error): Promise<boolean> {
    const memory = this.#memory;
    if (memory && !this.#ports.owed(memory.state).includes(effect)) return false;
    try {
      const due = memory && this.#dueAfterFailure(failure, memory.work.attempt);
      this.#memory = memory && due && (await this.#ports.save({ memory, decision: undefined, due }));
    } catch {
      // The database is unavailable, which recovery logs. The lease in the row expires, and any node then takes over.
      this.#memory = undefined;
    }
    return true;
  }
}

/** All active actors of this process. */
export class ActorHost<State, Event, Decision, Effect extends string = string> {
  readonly #ports: ActorPorts<State, Event, Decision, Effect>;
  readonly #policy: ActorPolicy;
  readonly #actors = new Map<number, Actor<State, Event, Decision, Effect>>();
  #drained: (() => void)[] = [];

  constructor(ports: ActorPorts<State, Event, Decision, Effect>, policy: ActorPolicy) {
    this.#ports = ports;
    this.#policy = policy;
  }

  /** The number of active actors. */
  get size(): number {
    return this.#actors.size;
  }

  /** True while the actor is active in this process. */
  has(id: number): boolean {
    return this.#actors.has(id);
  }

  /**
   * Resumes an actor whose row this node has just leased: runs the owed effects and resolves with its memory once it is
   * at rest or waits for its next attempt. Undefined when the row no longer exists.
   */
  async resume(memory: Memory<State>): Promise<Memory<State> | undefined> {
    const actor = this.#actor(memory.id);
    actor.adopt(memory);
    actor.act();
    await actor.pause();
    return actor.memory ?? (await this.#ports.load(memory.id));
  }

  /** Waits until an actor that is active here is idle, and resolves with its memory. */
  async join(id: number): Promise<Memory<State> | undefined> {
    await this.#actors.get(id)?.pause();
    return this.#ports.load(id);
  }

  /**
   * Sends an event to an actor. Resolves after the commit; effects follow. Undefined when the actor does not exist.
   * @throws whatever the guard or the machine throws to reject the event; Overloaded when the mailbox is full.
   */
  tell(id: number, message: Message<State, Event>): Promise<Memory<State> | undefined> {
    return this.#actor(id).tell(message);
  }

  /** Resolves when no actor is active. */
  drained(): Promise<void> {
    return this.#actors.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#drained.push(resolve));
  }

  #actor(id: number): Actor<State, Event, Decision, Effect> {
    let actor = this.#actors.get(id);
    if (!actor) {
      actor = new Actor(id, this.#ports, this.#policy);
      this.#actors.set(id, actor);
      // Runs after the caller has queued its message.
      const created = actor;
      queueMicrotask(() => void this.#forget(id, created));
    }
    return actor;
  }

  async #forget(id: number, actor: Actor<State, Event, Decision, Effect>): Promise<void> {
    while (actor.busy) await actor.pause();
    this.#actors.delete(id);
    if (this.#actors.size === 0) for (const resolve of this.#drained.splice(0)) resolve();
  }
}
