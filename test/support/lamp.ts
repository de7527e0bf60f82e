/** The smallest actor there is, and a world in memory for its host: a lamp that is lit and put out by effects. */
import { type Message, ActorHost } from '../../mixins/actor/actor-host.ts';
import type { ActorPolicy, ActorPorts, Answer, Change, Memory } from '../../mixins/actor/actor.ts';

/** A lamp that is asked to shine owes `light`; one that is put out owes `dim`. */
export type Lamp = 'dark' | 'lighting' | 'lit' | 'dimming' | 'out';
export type LampEvent = 'SHINE' | 'LIT' | 'PUT_OUT' | 'DIMMED';
export interface LampDecision {
  readonly state: Lamp;
}

const CHART: Record<Lamp, Partial<Record<LampEvent, Lamp>>> = {
  dark: { SHINE: 'lighting' },
  lighting: { LIT: 'lit', PUT_OUT: 'dimming' },
  lit: { PUT_OUT: 'dimming' },
  dimming: { DIMMED: 'out' },
  out: {},
};

/** The state of the lamp does not allow the event. */
export class NotNow extends Error {}
/** No peer could be reached. */
export class NobodyThere extends Error {}
/** The world answered that it will never do it. */
export class Never extends Error {}

export const NODE = 'here';
export const ID = 7;
export const POLICY: ActorPolicy = {
  noun: 'lamp',
  node: NODE,
  retryBaseMs: 100,
  retryCapMs: 1_000,
  maxAttempts: 5,
  maxMailbox: 4,
};

/** Rows, and everything that was asked of the world, in order. A test replaces `onSave` and `onPerform` to interfere. */
export class LampWorld implements ActorPorts<Lamp, LampEvent, LampDecision> {
  readonly rows = new Map<number, Memory<Lamp>>();
  readonly log: string[] = [];
  readonly changes: Change<Lamp, LampDecision>[] = [];
  onSave: (change: Change<Lamp, LampDecision>) => Promise<void> = () => Promise.resolve();
  onPerform: (effect: string) => Promise<Answer<LampEvent>> = (effect) =>
    Promise.resolve({ event: effect === 'light' ? 'LIT' : 'DIMMED' });
  readonly host: ActorHost<Lamp, LampEvent, LampDecision>;

  constructor(state: Lamp = 'dark', policy: Partial<ActorPolicy> = {}) {
    this.put(state);
    this.host = new ActorHost(this, { ...POLICY, ...policy });
  }

  /** Writes the row as another node would. */
  put(state: Lamp, work: Partial<Memory<Lamp>['work']> = {}): Memory<Lamp> {
    const version = (this.rows.get(ID)?.version ?? 0) + 1;
    const memory = { id: ID, state, version, work: { owner: null, attempt: 0, lastError: null, ...work } };
    this.rows.set(ID, memory);
    return memory;
  }

  /** Takes the row for this node, as recovery does. */
  lease(attempt = 0): Memory<Lamp> {
    return this.put(this.row.state, { owner: NODE, attempt });
  }

  get row(): Memory<Lamp> {
    return this.rows.get(ID) as Memory<Lamp>;
  }

  tell(event: LampEvent, guard?: Message<Lamp, LampEvent>['guard']): Promise<Memory<Lamp> | undefined> {
    return this.host.tell(ID, guard ? { event, guard } : { event });
  }

  decide(state: Lamp, event: LampEvent): LampDecision | undefined {
    if (event === 'SHINE' && state === 'lit') return undefined;
    const next = CHART[state][event];
    if (!next) throw new NotNow(`${event} in ${state}`);
    return { state: next };
  }

  after({ state }: LampDecision): Lamp {
    return state;
  }

  owed(state: Lamp): readonly string[] {
    return state === 'lighting' ? ['light'] : state === 'dimming' ? ['dim'] : [];
  }

  load(id: number): Promise<Memory<Lamp> | undefined> {
    this.log.push('load');
    return Promise.resolve(this.rows.get(id));
  }

  async save(change: Change<Lamp, LampDecision>): Promise<Memory<Lamp> | undefined> {
    const { memory, decision, due } = change;
    const state = decision?.state ?? memory.state;
    this.log.push(`save ${state} ${due.at}`);
    this.changes.push(change);
    await this.onSave(change);
    if (this.row.version !== memory.version) {
      this.log.push('conflict');
      return undefined;
    }
    const owner = due.at === 'lease' ? NODE : null;
    const failed = due.at === 'pause' || due.at === 'parked' ? due : { attempt: 0, lastError: null };
    const saved = this.put(state, { owner, attempt: failed.attempt, lastError: failed.lastError });
    this.log.push(`saved ${state}`);
    return saved;
  }

  perform(effect: string): Promise<Answer<LampEvent>> {
    this.log.push(effect);
    return this.onPerform(effect);
  }

  isAbsence(error: Error): boolean {
    return error instanceof NobodyThere;
  }

  isFinal(error: Error): boolean {
    return error instanceof Never;
  }

  isRefusal(error: unknown): boolean {
    return error instanceof NotNow;
  }

  now(): number {
    return 0;
  }
}
