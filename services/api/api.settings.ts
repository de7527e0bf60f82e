/** The settings of the api service. */
import { readAuthSettings } from '../../mixins/auth/auth.settings.ts';
import { type GatewaySettings, readGatewaySettings } from '../../mixins/gateway/gateway.settings.ts';
import type { SettingReader } from '../../mixins/settings/setting-reader.ts';

/** Reads the gateway's address and limits. @throws SettingError */
export function readApiSettings(read: SettingReader): GatewaySettings {
  return readGatewaySettings(read, { authenticated: readAuthSettings(read) !== undefined });
}
