/** `npm run machine:check`: checks that this version's machine can restore every order of a database. */
import { pathToFileURL } from 'node:url';
import { QueryTypes, type Sequelize, Transaction } from 'sequelize';
import { ORDER_MACHINE_VERSION } from '../../machines/order/order.machine.ts';
import { type Database, openDatabase } from '../../mixins/database/database.ts';
import { columns, table } from '../../mixins/database/model.ts';
import { causeOfOutage } from '../../mixins/database/sql-failure.ts';
import { embeddedUrl } from '../../mixins/database/embedded/url.ts';
import { type Environment, SettingError } from '../../mixins/settings/setting-reader.ts';
import { environment, readProcessSettings } from '../../mixins/settings/settings.ts';
import { OrderModel } from './models/order.model.ts';
import { memoryOf, ORDER_COLUMNS, type OrderRow } from './store/order.row.ts';

const O = columns(OrderModel, 'o');
const BATCH = `SELECT ${ORDER_COLUMNS} FROM ${table(OrderModel)} o WHERE ${O.id} > $1 ORDER BY ${O.id} LIMIT 2000`;
const ABOUT = `SELECT greatest(reltuples, 0)::float8 AS about FROM pg_class WHERE oid = '${table(OrderModel)}'::regclass`;

/** An order that this version cannot restore. */
export interface Unfit {
  id: number;
  state: string;
  machineVersion: number;
  reason: string;
}

export interface CheckResult {
  checked: number;
  unfit: Unfit[];
}

/**
 * Restores every order from one snapshot of the database, in a read-only transaction. Calls `progress` after every batch
 * with the number of orders checked and an estimate of the total.
 */
export function checkMachine(
  { sequelize }: Database,
  progress: (done: number, about: number) => void = () => undefined,
): Promise<CheckResult> {
  const { REPEATABLE_READ: isolationLevel } = Transaction.ISOLATION_LEVELS;
  return sequelize.transaction({ isolationLevel }, async (transaction) => {
    await sequelize.query('SET TRANSACTION READ ONLY', { transaction });
    const result: CheckResult = { checked: 0, unfit: [] };
    const about = await aboutHowMany(sequelize, transaction);
    for (let after = 0; ; ) {
      const rows = await sequelize.query<OrderRow>(BATCH, { bind: [after], type: QueryTypes.SELECT, transaction });
      for (const row of rows) {
        const reason = misfit(row);
        if (reason !== undefined) result.unfit.push(reason);
      }
      result.checked += rows.length;
      const last = rows.at(-1);
      if (!last) return result;
      after = last.id;
      progress(result.checked, Math.max(about, result.checked));
    }
  });
}

// Counting a large table takes as long as checking it.
async function aboutHowMany(sequelize: Sequelize, transaction: Transaction): Promise<number> {
  const [row] = await sequelize.query<{ about: number }>(ABOUT, { type: QueryTypes.SELECT, transaction });
  return row?.about ?? 0;
}

function misfit(row: OrderRow): Unfit | undefined {
  try {
    memoryOf(row);
    return undefined;
  } catch (error) {
    const state = `${row.status}, stock ${row.stockState}, shipment ${row.shipmentState}`;
    return { id: row.id, state, machineVersion: row.machineVersion, reason: (error as Error).message };
  }
}

/** Runs the command. Returns the exit code: 0 when every order fits, 1 when one does not or the check fails. */
export async function machineCheck(say: (line: string) => void, given: Environment = environment()): Promise<number> {
  try {
    const settings = readProcessSettings({ orders: { stateful: true } }, given);
    const database = openDatabase(settings.databaseUrl('orders') ?? embeddedUrl(settings.dataDir), 'orders', 2);
    try {
      return report(await checkMachine(database, (done, about) => say(`${done} of about ${about} orders`)), say);
    } finally {
      await database.close();
    }
  } catch (error) {
    say(error instanceof SettingError ? error.message : `cannot read the orders: ${causeOfOutage(error)}`);
    return 1;
  }
}

function report({ checked, unfit }: CheckResult, say: (line: string) => void): number {
  for (const { id, state, machineVersion, reason } of unfit) {
    say(`order ${id} (${state}, machine version ${machineVersion}) does not fit: ${reason.split('\n')[0]}`);
  }
  const known = `machine version ${ORDER_MACHINE_VERSION}`;
  say(
    unfit.length === 0
      ? `${checked} orders checked, all fit ${known}`
      : `${unfit.length} of ${checked} orders do not fit ${known}`,
  );
  return unfit.length === 0 ? 0 : 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await machineCheck((line) => console.log(line));
}
