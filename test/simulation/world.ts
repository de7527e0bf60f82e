/** The world around the nodes: a database and a network that lose, double and delay, and the faults that strike them. */
import { ServiceUnavailable, Failure } from '../../machines/shared/failure.ts';
import type { Clock } from '../../mixins/actor/clock.ts';
import type { Peers } from '../../services/orders/engine/saga.ts';
import { OrderTables } from '../support/order-tables.ts';
import type { Link } from '../support/twin-order-store.ts';
import { Random } from '../support/random.ts';
import type { ShipmentRequest } from '../../machines/shipment/shipment.ts';
import { SimInventory, SimTracking, type StockParams } from './peers.ts';
import { type Flaws, type Profile, profileOf } from './profile.ts';
import { type Process, Scheduler } from './scheduler.ts';

const START_MS = Date.UTC(2026, 5, 1);

/** What the world may lose, and whose outage makes calls or statements fail at once. */
export type Place = 'database' | 'inventory' | 'tracking';

const awayError = (): ServiceUnavailable => new ServiceUnavailable('The database does not answer');
const callError = (type: string, code: number): Error => Object.assign(new Error(type), { type, code });

export class World {
  readonly chance: Random;
  readonly profile: Profile;
  readonly scheduler: Scheduler;
  readonly tables: OrderTables;
  readonly inventory: SimInventory;
  readonly tracking: SimTracking;
  /** How often each kind of fault has struck. */
  readonly struck: Record<string, number> = {};
  /** Until when a place is away. */
  readonly awayUntil: Record<Place, number> = { database: 0, inventory: 0, tracking: 0 };
  /** False once the faults are over. */
  raging = true;
  databaseSkewMs = 0;

  constructor(seed: number, flaws: Flaws, traced: boolean) {
    this.chance = new Random(seed);
    this.profile = profileOf(this.chance);
    this.scheduler = new Scheduler(START_MS, this.chance, traced);
    this.tables = new OrderTables(() => this.scheduler.now + this.databaseSkewMs, flaws);
    const stock = new Map([1, 2, 3].map((productId) => [productId, this.profile.stock]));
    this.inventory = new SimInventory(stock, flaws);
    this.tracking = new SimTracking(this.chance);
  }

  get elapsedMs(): number {
    return this.scheduler.now - START_MS;
  }

  /** Whether a fault strikes now, while faults do. It is counted. */
  strikes(kind: keyof Profile): boolean {
    const strikes = this.raging && this.chance.happens(this.profile[kind] as number);
    if (strikes) this.struck[kind] = (this.struck[kind] ?? 0) + 1;
    return strikes;
  }

  isAway(place: Place): boolean {
    return this.scheduler.now < this.awayUntil[place];
  }

  /** Time and chance for a process. */
  clock(process: Process): Clock {
    const { chance, scheduler, profile } = this;
    return {
      // A clock that stands still makes nodes of one slot draw the same ids.
      now: () =>
        profile.sameSlot ? START_MS + 500 * Math.floor(this.elapsedMs / 500) : scheduler.now + process.skewMs,
      random: () => chance.next(),
      randomBytes: (count) => (profile.sameSlot && count === 1 ? new Uint8Array(1) : chance.bytes(count)),
      after: (ms, run) => scheduler.after(ms, 'timer', process, run),
      soon: (run) => void scheduler.after(0, 'soon', process, run),
    };
  }

  /** The way of a process's statements to the database. A statement that left happens, whatever becomes of the process. */
  link(process: Process): Link {
    const { scheduler } = this;
    return (name, step) =>
      new Promise((resolve, reject) => {
        const answer = (label: string, run: () => void, delayMs = this.#hop()): void =>
          void scheduler.after(delayMs, `${name} ${label}`, process, run);
        const late = this.strikes('lateStatement');
        // A cut connection fails at once; what was sent may still be executed some time later.
        if (late) answer('is cut off', () => reject(awayError()));
        scheduler.after(
          late ? this.chance.between(0, 8_000) : this.#hop(),
          `${name} of ${process.name}`,
          undefined,
          () => {
            if (this.isAway('database')) return answer('finds the database away', () => reject(awayError()));
            try {
              const result = step();
              if (this.strikes('lostAnswer')) answer('lost its answer', () => reject(awayError()));
              else answer('is answered', () => resolve(result));
            } catch (error) {
              answer('fails', () => reject(error));
            }
          },
        );
      });
  }

  /** A process's way to its peers. */
  peers(process: Process): Peers {
    return {
      away: () => [],
      call: <Result>(action: string, params: unknown, { timeout }: { timeout: number }) =>
        new Promise<Result>((resolve, reject) => {
          const { scheduler } = this;
          const stopTimer = scheduler.after(timeout, `${action} times out`, process, () =>
            reject(callError('REQUEST_TIMEOUT', 504)),
          );
          const reply = (run: () => void): void => {
            if (this.strikes('lostReply')) return;
            scheduler.after(this.#hop(), `${action} is answered`, process, () => {
              stopTimer();
              run();
            });
          };
          const send = (): void => {
            if (this.strikes('lostCall')) return;
            const delayMs = this.strikes('lateCall') ? this.chance.between(100, 10_000) : this.#hop();
            scheduler.after(delayMs, `${action} of ${process.name}`, undefined, () => {
              try {
                const result = this.#perform(action, params) as Result;
                if (this.strikes('failedAfterCommit')) reply(() => reject(awayError()));
                else reply(() => resolve(result));
              } catch (error) {
                reply(() => reject(error));
              }
            });
          };
          send();
          if (this.strikes('doubledCall')) send();
        }),
    };
  }

  /** An outage of one place, now and then. */
  maybeOutage(): void {
    if (!this.strikes('outage')) return;
    const place = this.chance.pick<Place>(['database', 'inventory', 'tracking']);
    this.awayUntil[place] = this.scheduler.now + this.chance.between(100, 6_000);
    this.scheduler.note(`${place} is away`);
  }

  /** The end of all faults. */
  heal(): void {
    this.raging = false;
    for (const place of ['database', 'inventory', 'tracking'] as const) this.awayUntil[place] = 0;
    this.scheduler.note('the faults are over');
  }

  #hop(): number {
    return this.chance.between(1, 6);
  }

  #perform(action: string, params: unknown): object {
    const [service, name] = action.split('.') as ['inventory' | 'tracking', string];
    if (this.isAway(service)) throw callError('SERVICE_NOT_FOUND', 404);
    if (service === 'inventory') {
      return this.inventory.order(name as 'reserve' | 'release' | 'consume', params as StockParams);
    }
    if (name === 'void') return this.tracking.void(params as { orderId: number });
    return this.tracking.createShipment(params as ShipmentRequest, this.scheduler.now);
  }
}

/** True for the engine's intended answers; anything else is a bug in the engine. */
export const isOurs = (error: unknown): boolean => error instanceof Failure;
