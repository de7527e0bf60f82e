/** The settings of inventory. */
import type { SettingReader } from '../../mixins/settings/setting-reader.ts';

export interface InventorySettings {
  /** DEMO_CATALOG: whether to fill an empty inventory with products 1 to 10. */
  demoCatalog: boolean;
}

/** @throws SettingError */
export const readInventorySettings = (read: SettingReader): InventorySettings => ({
  demoCatalog: read.flag('DEMO_CATALOG', true),
});
