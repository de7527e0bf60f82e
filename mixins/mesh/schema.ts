/** Typed ways to write Moleculer schemas: `this` is checked inside, the plain type Moleculer wants comes out. */
import type { ActionSchema, Context, Service, ServiceSchema, ServiceSettingSchema } from 'moleculer';
import type { AccessRule } from '../auth/access.ts';
import type { Subscriptions } from '../events/inbox/subscriptions.ts';

type Settings = ServiceSettingSchema & Record<string, unknown>;

/** The schema keys of an action that our own middlewares read. */
interface ActionKeys {
  /** Who may call it. Every action that can be called from outside its service needs one, or the start is refused. */
  access?: AccessRule;
}

/** The schema keys that our own mixins read. */
interface Keys<Self> {
  /** The services whose actions it calls: on a stop they go on until it has stopped. They must not call it back. */
  calls?: readonly string[];
  /** The services whose action `ready` must answer, wherever they run, before its process is ready. */
  needs?: readonly string[];
  actions?: Record<string, ActionKeys | boolean>;
  /** The domain events the service is owed, and what it does with each (see subscriptionsMixin). */
  subscriptions?: Subscriptions<Self>;
}

/** A service schema whose handlers see `Own` (what its mixins and its `created` put there) on `this`. */
export function defineService<Own extends object>(
  schema: ServiceSchema<Settings, Record<never, never>, Own> & Keys<Service & Own>,
): ServiceSchema {
  return schema as unknown as ServiceSchema;
}

type This<Own> = Service<Settings> & Own & Record<never, never>;

/** An action in a file of its own: its rules, and a handler that sees `Own` on `this`. */
export function defineAction<Own extends object, Params, Meta extends object = object, Result = unknown>(
  action: Omit<ActionSchema<This<Own>>, 'handler'> & {
    /** Who may call it. */
    access: AccessRule;
    /** Milliseconds a call may take when its caller does not say. Moleculer reads it; its types leave it out. */
    timeout?: number;
    handler(this: This<Own>, ctx: Context<Params, Meta>): Promise<Result>;
  },
): ActionSchema<This<Own>> {
  return action;
}

/** A mixin whose handlers see `Own` on `this`; a service that uses it names `Own` among its own. */
export function defineMixin<Own extends object>(
  schema: Partial<ServiceSchema<Settings, Record<never, never>, Own> & Keys<Service & Own>>,
): Partial<ServiceSchema> {
  return schema as unknown as Partial<ServiceSchema>;
}
