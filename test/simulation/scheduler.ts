/** The virtual clock: everything that is pending, in the order in which chance lets it happen. No time passes really. */
import type { Random } from '../support/random.ts';

/** The owner of a step: a dead one takes no steps, a stopped one takes them when it continues. */
export interface Process {
  readonly name: string;
  alive: boolean;
  /** Virtual milliseconds. */
  stoppedUntil: number;
  /** How far its clock is ahead of the virtual time. */
  skewMs: number;
}

interface Step {
  at: number;
  /** Decides between steps of one instant. */
  lot: number;
  label: string;
  owner: Process | undefined;
  run: () => void;
  off: boolean;
}

const before = (a: Step, b: Step): boolean => a.at < b.at || (a.at === b.at && a.lot < b.lot);

export class Scheduler {
  now: number;
  steps = 0;
  /** Names the whole course of a history: two runs that took the same steps have the same. */
  digest = 2_166_136_261;
  /** Every step, when somebody asked for it. */
  readonly trace: string[] | undefined;
  readonly #chance: Random;
  readonly #heap: Step[] = [];
  readonly #began: number;

  constructor(startMs: number, chance: Random, traced: boolean) {
    this.now = startMs;
    this.#began = startMs;
    this.#chance = chance;
    this.trace = traced ? [] : undefined;
  }

  /** Puts a step among those pending; the answer takes it out again. A step without an owner always happens. */
  after(delayMs: number, label: string, owner: Process | undefined, run: () => void): () => void {
    const step: Step = { at: this.now + delayMs, lot: this.#chance.next(), label, owner, run, off: false };
    this.#push(step);
    return () => {
      step.off = true;
    };
  }

  /** Lets steps happen one by one, each with all that follows from it at once, until it is enough. */
  async run(enough: () => boolean, afterEach: () => void): Promise<void> {
    while (!enough()) {
      const step = this.#pop();
      if (!step) return;
      const { owner } = step;
      if (step.off || (owner && !owner.alive)) continue;
      if (owner && owner.stoppedUntil > step.at) {
        step.at = owner.stoppedUntil;
        this.#push(step);
        continue;
      }
      this.now = step.at;
      this.note(step.owner ? `${step.owner.name}: ${step.label}` : step.label);
      step.run();
      // All promises that follow from the step come to their end before the next one.
      await new Promise((done) => setImmediate(done));
      afterEach();
    }
  }

  /** Writes down what happens. */
  note(label: string): void {
    this.steps++;
    const line = `${((this.now - this.#began) / 1_000).toFixed(3)} ${label}`;
    for (let i = 0; i < line.length; i++) this.digest = Math.imul(this.digest ^ line.charCodeAt(i), 16_777_619) >>> 0;
    this.trace?.push(line);
  }

  #push(step: Step): void {
    const heap = this.#heap;
    let i = heap.push(step) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(step, heap[parent] as Step)) break;
      heap[i] = heap[parent] as Step;
      i = parent;
    }
    heap[i] = step;
  }

  #pop(): Step | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Step, heap[child] as Step)) child++;
      if (!before(heap[child] as Step, last)) break;
      heap[i] = heap[child] as Step;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}
