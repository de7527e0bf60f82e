/** Typed helpers for Moleculer schemas: they check `this` in handlers and return the plain types that Moleculer takes. */
import type { ActionSchema, Context, Service, ServiceSchema, ServiceSettingSchema } from 'moleculer';
import type { AccessRule } from '../auth/access.ts';
import type { Repeatable } from './failover.middleware.ts';
import type { CatchUp, Subscriptions } from '../events/inbox/subscriptions.ts';

type Settings = ServiceSettingSchema & Record<string, unknown>;

/** The keys of an action's schema that our middlewares read. */
interface ActionKeys {
  /** Who may call it. Required for every action that other services can call: without it the start is refused. */
  access?: AccessRule;
  /** Whether a call that may have been executed by a node that hangs is repeated on another one; by default it is not. */
  repeatable?: Repeatable;
}

/** The keys of a service's schema that our mixins and middlewares read. */
interface Keys<Self> {
  /** The services whose actions it calls: they stop after this one. They must not call it back. */
  calls?: readonly string[];
  /** The services, in any process, whose action `ready` must succeed before this process is ready. */
  needs?: readonly string[];
  actions?: Record<string, ActionKeys | boolean>;
  /** The domain events that the service subscribes to, with a handler for each (see subscriptionsMixin). */
  subscriptions?: Subscriptions<Self>;
  /** Makes good for events that the stream has lost (see subscriptionsMixin). */
  catchUp?: CatchUp<Self>;
}

/** A service schema whose handlers see `Own`, what its mixins and its `created` provide, on `this`. */
export function defineService<Own extends object>(
  schema: ServiceSchema<Settings, Record<never, never>, Own> & Keys<Service & Own>,
): ServiceSchema {
  return schema as unknown as ServiceSchema;
}

type This<Own> = Service<Settings> & Own & Record<never, never>;

/** An action in a file of its own: its schema, and a handler that sees `Own` on `this`. */
export function defineAction<Own extends object, Params, Meta extends object = object, Result = unknown>(
  action: Omit<ActionSchema<This<Own>>, 'handler'> & {
    /** Who may call it. */
    access: AccessRule;
    /** Whether a call that may have been executed by a node that hangs is repeated on another one; by default it is not. */
    repeatable?: Repeatable;
    /** The timeout in milliseconds of a call whose caller sets none. Moleculer reads it; its types omit it. */
    timeout?: number;
    handler(this: This<Own>, ctx: Context<Params, Meta>): Promise<Result>;
  },
): ActionSchema<This<Own>> {
  return action;
}

/** A mixin whose handlers see `Own` on `this`; a service that uses it includes `Own` in its own type. */
export function defineMixin<Own extends object>(
  schema: Partial<ServiceSchema<Settings, Record<never, never>, Own> & Keys<Service & Own>>,
): Partial<ServiceSchema> {
  return schema as unknown as Partial<ServiceSchema>;
}
