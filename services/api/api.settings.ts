/** The settings of the gateway, as the api service declares them. */
import { readAuthSettings } from '../../mixins/auth/auth.settings.ts';
import { type GatewaySettings, readGatewaySettings } from '../../mixins/gateway/gateway.settings.ts';
import type { SettingReader } from '../../mixins/settings/setting-reader.ts';

/** Reads where the gateway listens and what it bears. @throws SettingError */
export function readApiSettings(read: SettingReader): GatewaySettings {
  return readGatewaySettings(read, { authenticated: readAuthSettings(read) !== undefined });
}
