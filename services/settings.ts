/** The list of all services, and all settings: those of the process and those that each service declares. */
import type { GatewaySettings } from '../mixins/gateway/gateway.settings.ts';
import type { Environment } from '../mixins/settings/setting-reader.ts';
import { environment, readProcessSettings, type Settings } from '../mixins/settings/settings.ts';
import { readApiSettings } from './api/api.settings.ts';
import { type InventorySettings, readInventorySettings } from './inventory/inventory.settings.ts';
import { type OrdersSettings, readOrdersSettings } from './orders/orders.settings.ts';

/** The services that a process can run, in display order. */
export const SERVICES = {
  api: { stateful: false },
  orders: { stateful: true },
  inventory: { stateful: true },
  tracking: { stateful: true },
  reports: { stateful: false },
} as const;

export type ServiceName = keyof typeof SERVICES;

/** All settings. */
export interface WaybillSettings extends Settings {
  api: GatewaySettings;
  orders: OrdersSettings;
  inventory: InventorySettings;
}

/**
 * Reads and checks every setting, including those of services that this process does not run.
 * @throws SettingError naming the first invalid setting and the expected value.
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
