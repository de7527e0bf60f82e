/** Every service there is, and every setting: those of the process, and those that each service declares for itself. */
import type { GatewaySettings } from '../mixins/gateway/gateway.settings.ts';
import type { Environment } from '../mixins/settings/setting-reader.ts';
import { environment, readProcessSettings, type Settings } from '../mixins/settings/settings.ts';
import { readApiSettings } from './api/api.settings.ts';
import { type InventorySettings, readInventorySettings } from './inventory/inventory.settings.ts';
import { type OrdersSettings, readOrdersSettings } from './orders/orders.settings.ts';

/** The services a process can run, in the order in which they are listed to people. */
export const SERVICES = {
  api: { stateful: false },
  orders: { stateful: true },
  inventory: { stateful: true },
  tracking: { stateful: true },
  reports: { stateful: false },
} as const;

export type ServiceName = keyof typeof SERVICES;

/** All that a process can be told. */
export interface WaybillSettings extends Settings {
  api: GatewaySettings;
  orders: OrdersSettings;
  inventory: InventorySettings;
}

/**
 * Reads and checks every setting, also those of services that this process does not run: a wrong one is a mistake anyway.
 * @throws SettingError naming the first setting that cannot be used and what to give instead.
 */
export function readSettings(given: Environment = environment()): WaybillSettings {
  const settings = readProcessSettings(SERVICES, given);
  const { reader } = settings;
  return {
    ...settings,
    api: readApiSettings(reader),
    orders: readOrdersSettings(reader),
    inventory: readInventorySettings(reader),
  };
}
