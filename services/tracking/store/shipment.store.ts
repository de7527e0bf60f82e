/** Writes to shipments: creations and changes, each with its own group commit. */
import type { MetricRegistry } from 'moleculer';
import { Failure } from '../../../machines/shared/failure.ts';
import {
  type CreateOutcome,
  type MadeShipment,
  type NewShipment,
  newShipment,
} from '../../../machines/shipment/shipment.create.ts';
import type { ChangeOutcome } from '../../../machines/shipment/shipment.decide.ts';
import type { ShipmentRequest } from '../../../machines/shipment/shipment.ts';
import { TRACKING_RANDOM_BYTES } from '../../../machines/shipment/tracking-number.ts';
import { GroupCommit } from '../../../mixins/actor/group-commit.ts';
import { randomBytes } from '../../../mixins/actor/random.ts';
import type { Database } from '../../../mixins/database/database.ts';
import { orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { countBatches } from '../../../mixins/metrics/batch-metrics.ts';
import { type TimelineChange, changeShipments } from './change-shipments.ts';
import { createShipments } from './create-shipments.ts';

/** Creates and changes shipments; each call resolves once it is durable. Safe with many nodes on one database. */
export class ShipmentStore {
  readonly #creating: GroupCommit<NewShipment, CreateOutcome>;
  readonly #changing: GroupCommit<TimelineChange, ChangeOutcome>;

  /** Calls `eventsWritten` after each commit that wrote events to the outbox. Counts the batches in `metrics`. */
  constructor(database: Database, metrics: MetricRegistry, eventsWritten: () => void) {
    this.#creating = new GroupCommit(
      countBatches(metrics, 'tracking create', (items) =>
        orUnavailable(createShipments(database, items, eventsWritten)),
      ),
      { name: 'create shipments' },
    );
    this.#changing = new GroupCommit(
      countBatches(metrics, 'tracking change', (items) =>
        orUnavailable(changeShipments(database, items, Date.now(), eventsWritten)),
      ),
      { name: 'change shipments' },
    );
  }

  /**
   * Creates the shipment of an order, once.
   * @throws IllegalTransition when it was voided, OrderIdReused when its carrier or address differs
   * @throws Overloaded, ServiceUnavailable: retry is safe
   */
  async create(request: ShipmentRequest): Promise<MadeShipment> {
    const shipment = newShipment(request, randomBytes(TRACKING_RANDOM_BYTES), Date.now());
    const outcome = await this.#creating.push(shipment);
    if (outcome instanceof Failure) throw outcome;
    return outcome;
  }

  /** Records a change of a shipment, or returns why it was not recorded. @throws Overloaded, ServiceUnavailable */
  change(change: TimelineChange): Promise<ChangeOutcome> {
    return this.#changing.push(change);
  }

  /** Resolves when all operations are done. */
  async drained(): Promise<void> {
    await Promise.all([this.#creating.drained(), this.#changing.drained()]);
  }
}
