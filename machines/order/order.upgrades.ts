/** Upgrades stored order states to the current version of the machine. */
import { InternalError, ServiceUnavailable } from '../shared/failure.ts';
import type { OrderState } from './order.chart.ts';
import { ORDER_MACHINE_VERSION } from './order.machine.ts';

/** Maps each state of one version to the next version. Pure; it covers every state that the version had. */
export type OrderUpgrade = (value: OrderState) => OrderState;

/** The upgrade steps by source version; each leads to the following version. */
export type OrderUpgrades = ReadonlyMap<number, OrderUpgrade>;

/** The released steps. Every new version of the chart adds the step from its predecessor. */
export const ORDER_UPGRADES: OrderUpgrades = new Map();

/**
 * Maps a state written by `version` to the chart of version `to`.
 * @throws ServiceUnavailable for a state of a newer version, which this code cannot interpret.
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
      `The order was written by a newer version of the machine (${version}; this node runs ${to}). Retry to reach a newer node`,
    );
  }
  let current = value;
  for (let from = version; from < to; from++) {
    const step = steps.get(from);
    if (!step) throw new InternalError(`no upgrade from version ${from} of the order machine to ${from + 1}`);
    current = step(current);
  }
  return current;
}
