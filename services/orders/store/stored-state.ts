/** The work that a stored state owes, whichever version of the machine wrote it. */
import { type Owed, stateOf } from '../../../machines/order/order.chart.ts';
import { ORDER_MACHINE_VERSION } from '../../../machines/order/order.machine.ts';

/** The columns of an order's row that hold its state. */
export interface StateColumns {
  status: string;
  stockState: string;
  shipmentState: string;
  machineVersion: number;
}

/** The owed work; none for a state that the chart does not have, whose row alone then tells whether it is at rest. */
export function owedIn({ status, stockState, shipmentState, machineVersion }: StateColumns): readonly Owed[] {
  if (machineVersion > ORDER_MACHINE_VERSION) return [];
  try {
    return stateOf({ order: status, stock: stockState, shipment: shipmentState }).owed;
  } catch {
    return [];
  }
}
