/** What a stored state owes, also when it was written by another version of the machine. */
import { type Owed, stateOf } from '../../../machines/order/order.chart.ts';
import { ORDER_MACHINE_VERSION } from '../../../machines/order/order.machine.ts';

/** The columns of an order's row that hold its state. */
export interface StateColumns {
  status: string;
  stock_state: string;
  shipment_state: string;
  machine_version: number;
}

/** Nothing for a state that this code's chart does not have: then only the row can say whether it is at rest. */
export function owedIn({ status, stock_state, shipment_state, machine_version }: StateColumns): readonly Owed[] {
  if (machine_version > ORDER_MACHINE_VERSION) return [];
  try {
    return stateOf({ order: status, stock: stock_state, shipment: shipment_state }).owed;
  } catch {
    return [];
  }
}
