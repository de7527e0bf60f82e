/** The stock book on PostgreSQL: every change of stock, one group commit of all that comes together. */
import type pg from 'pg';
import { ServiceUnavailable, WaybillError } from '../../machines/errors.ts';
import { parseMoney } from '../../machines/money.ts';
import { admit } from '../../machines/stock-admission.ts';
import type {
  LevelAnswer,
  OrderAnswer,
  OrderOperation,
  Reservation,
  StockAnswer,
  StockBook,
  StockLevel,
  StockOperation,
} from '../../machines/stock-book.ts';
import { GroupCommit } from '../../mixins/group-commit.ts';
import { isOutage, isRace } from './sql-failure.ts';
import {
  admissionValues,
  BEGIN,
  LOCK_PRODUCTS,
  numbers,
  type ProductRow,
  READ_RESERVATIONS,
  type ReservationRow,
  WRITE_ADMISSION,
} from './stock-book.sql.ts';

/** How often a batch that lost a race is decided again, with what the winner wrote in view. */
const MAX_ATTEMPTS = 5;

/** The database was lost after a commit was sent: it may have happened. */
class CommitUnknown extends ServiceUnavailable {}

/** Takes orders and additions, and answers each once it is durable. Safe with any number of nodes on one database. */
export class StockBookStore {
  readonly #pool: pg.Pool;
  readonly #eventsWritten: () => void;
  readonly #stage: GroupCommit<StockOperation, StockAnswer>;

  /** `eventsWritten` is called after each commit that put events into the outbox. */
  constructor(pool: pg.Pool, eventsWritten: () => void) {
    this.#pool = pool;
    // A connection that breaks while it is out of the pool fails its queries, and is also an event that would end the
    // process if nobody listened.
    pool.on('connect', (client) => client.on('error', () => undefined));
    this.#eventsWritten = eventsWritten;
    this.#stage = new GroupCommit((operations) => this.#write(operations), { name: 'change the stock' });
  }

  /**
   * Reserves, releases or consumes for an order: all its lines or none; a repeat gets the first answer.
   * @throws OrderIdReused when the order has a reservation with other items.
   * @throws Overloaded, ServiceUnavailable: the same operation may be repeated.
   */
  async order(operation: OrderOperation): Promise<OrderAnswer> {
    return settle(await this.#stage.push(operation)) as OrderAnswer;
  }

  /**
   * Adds units to a product.
   * @throws NotFound, ValidationFailed when the stock would grow past its bound, Overloaded.
   * @throws ServiceUnavailable, whose data tells with `unknown: true` that the addition may have happened.
   */
  async add(productId: number, amount: number): Promise<LevelAnswer> {
    return settle(await this.#stage.push({ kind: 'add', productId, amount })) as LevelAnswer;
  }

  /** Resolves when all that was asked is answered. */
  drained(): Promise<void> {
    return this.#stage.drained();
  }

  /**
   * An outage is an answer to each operation of the batch rather than a failure of it: trying one by one a database
   * that is away would only take longer. Orders get one more try first, as a broken connection is often the last one's.
   */
  async #write(operations: readonly StockOperation[]): Promise<readonly StockAnswer[]> {
    try {
      return await this.#retryRaces(operations);
    } catch (error) {
      if (!(error instanceof ServiceUnavailable)) throw error;
      const repeat = operations.filter((operation) => isRepeatable(operation, error));
      const answers = await this.#retryRaces(repeat).catch((second: unknown) => {
        if (second instanceof ServiceUnavailable) return repeat.map(() => second);
        throw second;
      });
      let next = 0;
      return operations.map((operation) =>
        isRepeatable(operation, error) ? (answers[next++] as StockAnswer) : additionUnknown(),
      );
    }
  }

  async #retryRaces(operations: readonly StockOperation[]): Promise<readonly StockAnswer[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#transaction(operations);
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !isRace(error)) throw error;
      }
    }
  }

  async #transaction(operations: readonly StockOperation[]): Promise<readonly StockAnswer[]> {
    if (operations.length === 0) return [];
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw databaseAway(error);
    });
    let broken: Error | undefined;
    try {
      return await this.#decide(client, operations);
    } catch (error) {
      if (error instanceof ServiceUnavailable) broken = error;
      else abandon(client);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Two round trips: lock and read; then, decided in memory, write and commit. */
  async #decide(client: pg.PoolClient, operations: readonly StockOperation[]): Promise<readonly StockAnswer[]> {
    const book = await readBook(client, operations);
    const at = new Date().toISOString();
    const admission = admit(book, operations, at);
    const { answers, products, created, moved, events } = admission;
    if (products.length + created.length + moved.length === 0) {
      abandon(client);
      return answers;
    }
    await inOneTrip([
      client.query({ ...WRITE_ADMISSION, values: admissionValues(admission, at) }),
      client.query('COMMIT'),
    ]).catch((error: unknown) => {
      throw isOutage(error) ? new CommitUnknown('The stock book cannot be reached') : error;
    });
    if (events.length > 0) this.#eventsWritten();
    return answers;
  }
}

/** Ends a transaction that wrote nothing. Not awaited: it goes out before whatever the connection is asked next. */
function abandon(client: pg.PoolClient): void {
  client.query('ROLLBACK').catch(() => undefined);
}

async function readBook(client: pg.PoolClient, operations: readonly StockOperation[]): Promise<StockBook> {
  const productIds = new Set<number>();
  const orderIds = new Set<number>();
  for (const operation of operations) {
    if (operation.kind === 'add') productIds.add(operation.productId);
    else {
      orderIds.add(operation.orderId);
      for (const productId of operation.lines.productIds) productIds.add(productId);
    }
  }
  const [, locked, known] = await inOneTrip([
    client.query(BEGIN),
    client.query<ProductRow>({ ...LOCK_PRODUCTS, values: [numbers([...productIds])] }),
    client.query<ReservationRow>({ ...READ_RESERVATIONS, values: [numbers([...orderIds])] }),
  ]).catch((error: unknown) => {
    throw isOutage(error) ? databaseAway(error) : error;
  });
  return {
    products: new Map(locked.rows.map((row) => [row.id, levelOf(row)])),
    reservations: new Map(known.rows.map((row) => [row.order_id, reservationOf(row)])),
  };
}

/** Waits for all, then fails with the first failure: the ones after it only say that the transaction was aborted. */
async function inOneTrip<const Sent extends readonly Promise<unknown>[]>(
  sent: Sent,
): Promise<{ -readonly [I in keyof Sent]: Awaited<Sent[I]> }> {
  const settled = await Promise.allSettled(sent);
  for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
  return settled.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as {
    -readonly [I in keyof Sent]: Awaited<Sent[I]>;
  };
}

function levelOf(row: ProductRow): StockLevel {
  return {
    productId: row.id,
    price: parseMoney(row.price),
    quantity: row.quantity,
    reserved: row.reserved_quantity,
    revision: row.revision,
  };
}

function reservationOf(row: ReservationRow): Reservation {
  return {
    orderId: row.order_id,
    status: row.status,
    productIds: JSON.parse(row.product_ids) as number[],
    quantities: JSON.parse(row.quantities) as number[],
    prices: (JSON.parse(row.prices) as string[]).map(parseMoney),
    unavailable: JSON.parse(row.unavailable) as number[],
  };
}

/** An addition has no id to know it again by: it is never repeated when the first may have been committed. */
function isRepeatable(operation: StockOperation, failure: ServiceUnavailable): boolean {
  return operation.kind !== 'add' || !(failure instanceof CommitUnknown);
}

function additionUnknown(): ServiceUnavailable {
  return new ServiceUnavailable(
    'The stock book was lost while the stock was added: read the product before adding again',
    { unknown: true },
  );
}

function databaseAway(cause: unknown): ServiceUnavailable {
  return Object.assign(new ServiceUnavailable('The stock book cannot be reached'), { cause });
}

function settle(answer: StockAnswer): OrderAnswer | LevelAnswer {
  if (answer instanceof WaybillError) throw answer;
  return answer;
}
