/** The stock book in PostgreSQL: group commits all concurrent changes of stock. */
import type { MetricRegistry } from 'moleculer';
import { ServiceUnavailable, Failure } from '../../../machines/shared/failure.ts';
import { parseMoney } from '../../../machines/shared/money.ts';
import { type Admission, admit } from '../../../machines/stock/stock.admission.ts';
import type {
  LevelOutcome,
  OrderOutcome,
  OrderOperation,
  Reservation,
  StockOutcome,
  StockBook,
  StockLevel,
  StockOperation,
} from '../../../machines/stock/stock.book.ts';
import type { Database } from '../../../mixins/database/database.ts';
import type { Trips } from '../../../mixins/database/trips.ts';
import { isLoggedOutage, isRace, orUnavailable } from '../../../mixins/database/sql-failure.ts';
import { tokens } from '../../../mixins/database/batch-values.ts';
import { GroupCommit, type WriteBatch } from '../../../mixins/actor/group-commit.ts';
import { countBatches } from '../../../mixins/metrics/batch-metrics.ts';
import {
  admissionValues,
  LOCK_PRODUCTS,
  MOVE_RESERVATIONS,
  moveValues,
  type LevelRow,
  READ_RESERVATIONS,
  type ReservationRow,
  WRITE_ADMISSION,
} from './stock-book.sql.ts';
import { StockMemory } from './stock-memory.ts';

/** Attempts at a batch that loses races; each attempt sees what the winner wrote. */
const MAX_ATTEMPTS = 5;

/** The connection was lost after a commit was sent, so it may have taken effect. */
class CommitUnknown extends ServiceUnavailable {}

/** Performs order operations and additions; each resolves once it is durable. Safe with many nodes on one database. */
export class StockBookStore {
  readonly #database: Database;
  readonly #eventsWritten: () => void;
  readonly #memory = new StockMemory();
  readonly #orders: GroupCommit<StockOperation, StockOutcome>;
  readonly #additions: GroupCommit<StockOperation, StockOutcome>;

  /** Calls `eventsWritten` after each commit that wrote events to the outbox. Counts the batches in `metrics`. */
  constructor(database: Database, metrics: MetricRegistry, eventsWritten: () => void) {
    this.#database = database;
    this.#eventsWritten = eventsWritten;
    const write: WriteBatch<StockOperation, StockOutcome> = (operations) => this.#retryRaces(operations);
    this.#orders = new GroupCommit(countBatches(metrics, 'inventory orders', write), { name: 'change the stock' });
    // An addition has no id, so a batch of them that may have been committed must not be retried.
    this.#additions = new GroupCommit(
      countBatches(metrics, 'inventory additions', (additions) =>
        write(additions).catch((error: unknown) => {
          if (error instanceof CommitUnknown) return additions.map(() => error);
          throw error;
        }),
      ),
      { name: 'add stock' },
    );
  }

  /**
   * Reserves, releases or consumes for an order: all its lines or none; a repeat gets the first answer again.
   * @throws OrderIdReused when the order already has a reservation with different items
   * @throws Overloaded, ServiceUnavailable: retry is safe
   */
  async order(operation: OrderOperation): Promise<OrderOutcome> {
    return settle(await this.#orders.push(operation)) as OrderOutcome;
  }

  /**
   * Adds units to a product.
   * @throws NotFound, ValidationFailed when the stock would exceed its maximum, Overloaded
   * @throws ServiceUnavailable, with `unknown: true` in its data when the addition may have taken effect
   */
  async add(productId: number, amount: number): Promise<LevelOutcome> {
    return settle(await this.#additions.push({ kind: 'add', productId, amount })) as LevelOutcome;
  }

  /** Resolves when all operations are done. */
  async drained(): Promise<void> {
    await Promise.all([this.#orders.drained(), this.#additions.drained()]);
  }

  async #retryRaces(operations: readonly StockOperation[]): Promise<readonly StockOutcome[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#guess(operations)) ?? (await this.#transaction(operations));
      } catch (error) {
        this.#memory.forget();
        if (attempt === MAX_ATTEMPTS || !isRace(error)) throw error;
      }
    }
  }

  /** Decides a batch from memory and writes it in one statement. Undefined when memory cannot admit the whole batch. */
  async #guess(operations: readonly StockOperation[]): Promise<readonly StockOutcome[] | undefined> {
    const book = this.#memory.recall(operations);
    const admission = book && admit(book, operations);
    if (!admission?.answers.every((answer) => 'success' in answer && answer.success)) return undefined;
    const values = admissionValues(admission, book as StockBook, new Date().toISOString());
    await orUnavailable(this.#database.query({ ...WRITE_ADMISSION, values }));
    this.#memory.confirm();
    return this.#written(admission);
  }

  async #transaction(operations: readonly StockOperation[]): Promise<readonly StockOutcome[]> {
    const sent = { commit: false };
    try {
      return await orUnavailable(this.#database.trips((trips) => this.#lockAndWrite(trips, operations, sent)));
    } catch (error) {
      // Not inside of `trips`, which must see the driver's error to close the connection and to log the outage.
      throw sent.commit && isLoggedOutage(error) ? commitUnknown(error) : error;
    }
  }

  /** Takes two round trips: one locks and reads, one writes the admission and commits. */
  async #lockAndWrite(
    trips: Trips,
    operations: readonly StockOperation[],
    sent: { commit: boolean },
  ): Promise<readonly StockOutcome[]> {
    const book = await readBook(trips, operations);
    this.#memory.learn(book.products.values());
    const admission = admit(book, operations);
    const { answers, products, created, moved } = admission;
    if (products.length + created.length + moved.length === 0) return answers;
    const at = new Date().toISOString();
    const write = { ...WRITE_ADMISSION, values: admissionValues(admission, book, at) };
    const move = moved.length > 0 ? [{ ...MOVE_RESERVATIONS, values: moveValues(admission, at) }] : [];
    sent.commit = true;
    await trips.commit(write, ...move);
    return this.#written(admission);
  }

  #written({ answers, products }: Admission): readonly StockOutcome[] {
    this.#memory.learn(products);
    if (products.length > 0) this.#eventsWritten();
    return answers;
  }
}

async function readBook(trips: Trips, operations: readonly StockOperation[]): Promise<StockBook> {
  const productIds = new Set<number>();
  const orderIds = new Set<number>();
  for (const operation of operations) {
    if (operation.kind === 'add') productIds.add(operation.productId);
    else {
      orderIds.add(operation.orderId);
      for (const productId of operation.lines.productIds) productIds.add(productId);
    }
  }
  const [locked, known] = await trips.begin<[LevelRow, ReservationRow]>(
    { ...LOCK_PRODUCTS, values: [tokens([...productIds])] },
    { ...READ_RESERVATIONS, values: [tokens([...orderIds])] },
  );
  return {
    products: new Map(locked.rows.map((row) => [row.id, levelOf(row)])),
    reservations: new Map(known.rows.map((row) => [row.orderId, reservationOf(row)])),
  };
}

function levelOf(row: LevelRow): StockLevel {
  return {
    productId: row.id,
    price: parseMoney(row.price),
    quantity: row.quantity,
    reserved: row.reservedQuantity,
  };
}

function reservationOf(row: ReservationRow): Reservation {
  return {
    orderId: row.orderId,
    status: row.status,
    productIds: JSON.parse(row.productIds) as number[],
    quantities: JSON.parse(row.quantities) as number[],
    prices: (JSON.parse(row.prices) as string[]).map(parseMoney),
    unavailable: JSON.parse(row.unavailable) as number[],
  };
}

function commitUnknown(cause: unknown): CommitUnknown {
  const message =
    'The database connection was lost during the change: read the product before adding to its stock again';
  return Object.assign(new CommitUnknown(message, { unknown: true }), { cause });
}

function settle(answer: StockOutcome): OrderOutcome | LevelOutcome {
  if (answer instanceof Failure) throw answer;
  return answer;
}
