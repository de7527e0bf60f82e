/** The settings of a gateway for tests: those of a start without any, on a free port. */
import { type GatewaySettings, readGatewaySettings } from '../../mixins/gateway/gateway.settings.ts';
import { SettingReader } from '../../mixins/settings/setting-reader.ts';

/** Complete settings; `given` is what a test is about. */
export function httpSettings(given: Partial<GatewaySettings> = {}): GatewaySettings {
  return { ...readGatewaySettings(new SettingReader({ PORT: '0' }), { authenticated: false }), ...given };
}
