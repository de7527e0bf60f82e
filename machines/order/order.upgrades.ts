/** Orders in flight across versions of the machine: what the states of an older chart are in this code's. */
import { InternalError, ServiceUnavailable } from '../shared/failure.ts';
import type { OrderState } from './order.chart.ts';
import { ORDER_MACHINE_VERSION } from './order.machine.ts';

/** Says what each state of one version is in the next. Pure; it knows every state that version had. */
export type OrderUpgrade = (value: OrderState) => OrderState;

/** The steps, by the version they lead away from; each leads to the version after it. */
export type OrderUpgrades = ReadonlyMap<number, OrderUpgrade>;

/** A new version of the chart adds the step from the version before it here. */
export const ORDER_UPGRADES: OrderUpgrades = new Map();

/**
 * The state that a snapshot of some version is in the chart of version `to`.
 * @throws ServiceUnavailable for a snapshot of a newer version: this code cannot know what it means.
 * @throws InternalError when a step is missing.
 */
export function upgrade(
  version: number,
  value: OrderState,
  steps: OrderUpgrades = ORDER_UPGRADES,
  to: number = ORDER_MACHINE_VERSION,
): OrderState {
  if (version > to) {
    throw new ServiceUnavailable(
      `The order belongs to a newer version of the machine (${version}, this node knows ${to}). Ask a newer node`,
    );
  }
  let current = value;
  for (let from = version; from < to; from++) {
    const step = steps.get(from);
    if (!step) throw new InternalError(`no upgrade leads from version ${from} of the order machine to ${from + 1}`);
    current = step(current);
  }
  return current;
}
