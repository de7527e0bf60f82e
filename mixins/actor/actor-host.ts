/** The actor host: puts events into mailboxes, decides, commits, and only then answers and acts. */
import { Overloaded } from '../../machines/shared/failure.ts';
import type { ActorPolicy, ActorPorts, Due, Memory } from './actor.ts';
import { backoffMs } from './backoff.ts';

/** An event on its way to an actor. */
export interface Message<State, Event> {
  event: Event;
  /** Runs on the state the event is decided on; what it throws refuses the event. */
  guard?: (state: State) => void;
}

/** Versions that may change under a decision before it is given up. Each means that another node was faster. */
const MAX_CONFLICTS = 8;

/**
 * One actor at work. It lives from its first message until nothing is under way; what it knows afterwards is in its
 * row. Commands are decided one at a time; effects run beside them, and their answers are messages too.
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

  /** Decides and commits an event, after those that came before it. Resolves with the state after the commit. */
  tell(message: Message<State, Event>): Promise<Memory<State> | undefined> {
    if (this.#mailbox >= this.#policy.maxMailbox) {
      return Promise.reject(
        new Overloaded(
          `Too many commands are waiting for ${this.#policy.noun} ${this.#id}. Repeat this one in a moment`,
        ),
      );
    }
    return this.#enqueue(() => this.#handle(message));
  }

  /** Takes over a row that this node has just leased, unless something newer is known. */
  adopt(memory: Memory<State>): void {
    if (!this.#memory || this.#memory.version < memory.version) this.#memory = memory;
  }

  /** Starts on what the present state owes, unless that is under way or another node's. */
  act(): void {
    if (this.#acting) return;
    this.#acting = this.#payWhatIsOwed().finally(() => {
      this.#acting = undefined;
    });
  }

  get busy(): boolean {
    return this.#mailbox > 0 || this.#acting !== undefined;
  }

  /** Resolves when the mailbox is empty and no effect is under way. */
  async pause(): Promise<void> {
    while (this.busy) await (this.#acting ?? this.#tail);
  }

  #enqueue<T>(run: () => Promise<T>): Promise<T> {
    this.#mailbox++;
    const result = this.#tail.then(run).finally(() => {
      this.#mailbox--;
    });
    // Whoever enqueued it is told of the failure; the next one only waits for the end.
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
        // What is kept in memory may be older than the row: a refusal counts only when it was read for this message.
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
      `Others change ${this.#policy.noun} ${this.#id} faster than this request can. Repeat it in a moment`,
    );
  }

  // A failure that comes with an answer turns "go on at once" into "pause first".
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
      // The answers were committed: what is owed now is something else, or the row went on without this node.
      if (this.#memory?.state === memory.state) return;
    }
  }

  /** Performs one effect and commits its answer. Returns the failure that leaves something owed. */
  async #pay(effect: Effect, memory: Memory<State>): Promise<Error | undefined> {
    try {
      const answer = await this.#ports.perform(effect, memory);
      await this.#enqueue(() => this.#handle({ event: answer.event }, answer.failure));
      return undefined;
    } catch (error) {
      // A late answer: the actor went on meanwhile, by a command or on another node. Nothing is owed for it.
      if (this.#ports.isRefusal(error)) return undefined;
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Answers false when the effect is not owed any more: a command or another node went on meanwhile. */
  async #noteFailure(effect: Effect, failure: Error): Promise<boolean> {
    const memory = this.#memory;
    if (memory && !this.#ports.owed(memory.state).includes(effect)) return false;
    try {
      const due = memory && this.#dueAfterFailure(failure, memory.work.attempt);
      this.#memory = memory && due && (await this.#ports.save({ memory, decision: undefined, due }));
    } catch {
      // The database is away, which recovery says. The lease in the row runs out, and whoever finds it then goes on.
      this.#memory = undefined;
    }
    return true;
  }
}

/** All actors at work in this process. */
export class ActorHost<State, Event, Decision, Effect extends string = string> {
  readonly #ports: ActorPorts<State, Event, Decision, Effect>;
  readonly #policy: ActorPolicy;
  readonly #actors = new Map<number, Actor<State, Event, Decision, Effect>>();
  #drained: (() => void)[] = [];

  constructor(ports: ActorPorts<State, Event, Decision, Effect>, policy: ActorPolicy) {
    this.#ports = ports;
    this.#policy = policy;
  }

  /** How many actors are at work. */
  get size(): number {
    return this.#actors.size;
  }

  /** True while this process works on the actor. */
  has(id: number): boolean {
    return this.#actors.has(id);
  }

  /**
   * Goes on with an actor whose row this node has just leased: does what is owed, and resolves with the memory once
   * nothing is under way, be it at rest or waiting for its next attempt. Undefined when the row was lost meanwhile.
   */
  async resume(memory: Memory<State>): Promise<Memory<State> | undefined> {
    const actor = this.#actor(memory.id);
    actor.adopt(memory);
    actor.act();
    await actor.pause();
    return actor.memory ?? (await this.#ports.load(memory.id));
  }

  /** Waits with others for an actor that is at work here. */
  async join(id: number): Promise<Memory<State> | undefined> {
    await this.#actors.get(id)?.pause();
    return this.#ports.load(id);
  }

  /**
   * Tells an actor an event. Resolves after the commit; effects follow. Undefined when there is no such actor.
   * @throws what the guard or the machine refuses with; Overloaded past the mailbox's bound.
   */
  tell(id: number, message: Message<State, Event>): Promise<Memory<State> | undefined> {
    return this.#actor(id).tell(message);
  }

  /** Resolves when no actor is at work. */
  drained(): Promise<void> {
    return this.#actors.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#drained.push(resolve));
  }

  #actor(id: number): Actor<State, Event, Decision, Effect> {
    let actor = this.#actors.get(id);
    if (!actor) {
      actor = new Actor(id, this.#ports, this.#policy);
      this.#actors.set(id, actor);
      // Runs after the caller has put its message into the mailbox.
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
