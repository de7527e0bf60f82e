/** Typed ways to write Moleculer schemas: `this` is checked inside, the plain type Moleculer wants comes out. */
import type { ServiceSchema, ServiceSettingSchema } from 'moleculer';

type Settings = ServiceSettingSchema & Record<string, unknown>;

/** A service schema whose handlers see `Own` (what its mixins and its `created` put there) on `this`. */
export function defineService<Own extends object, Extra extends object = object>(
  schema: ServiceSchema<Settings, Record<never, never>, Own> & Extra,
): ServiceSchema {
  return schema as unknown as ServiceSchema;
}

/** A mixin whose handlers see `Own` on `this`; a service that uses it names `Own` among its own. */
export function defineMixin<Own extends object, Extra extends object = object>(
  schema: Partial<ServiceSchema<Settings, Record<never, never>, Own>> & Extra,
): Partial<ServiceSchema> {
  return schema as unknown as Partial<ServiceSchema>;
}
