/** What a stored state owes, also when it was written by another version of the machine. */
import { type Owed, stateOf } from '../../../machines/order/order.chart.ts';
import { ORDER_MACHINE_VERSION } from '../../../machines/order/order.machine.ts';

/** What of an order's row holds its state. */
export interface StateColumns {
  status: string;
  stockState: string;
  shipmentState: string;
  machineVersion: number;
}

/** Nothing for a state that this code's chart does not have: then only the row can say whether it is at rest. */
export function owedIn({ status, stockState, shipmentState, machineVersion }: StateColumns): readonly Owed[] {
  if (machineVersion > ORDER_MACHINE_VERSION) return [];
  try {
    return stateOf({ order: status, stock: stockState, shipment: shipmentState }).owed;
  } catch {
    return [];
  }
}
