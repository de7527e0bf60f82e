/** Knows who calls an action, and believes nobody on the mesh without proof. Installed where callers are authenticated. */
import type { ActionEndpoint, Context, Middleware, ServiceBroker } from 'moleculer';
import { Unauthenticated } from './auth.failures.ts';
import type { MeshKeys } from '../mesh/seal/mesh-keys.ts';
import { PacketGuard } from '../mesh/seal/packet-guard.ts';
import { type Caller, callerOf, ENGINE, setCaller } from './caller.ts';

export interface MeshIdentityOptions {
  /** The keys of the mesh; undefined for a mesh of one, where no call comes from elsewhere. */
  keys: MeshKeys | undefined;
  /** Who the holder of a bearer token is. @throws Unauthenticated for a token that cannot be believed */
  verifyToken: (token: string) => Caller | Promise<Caller>;
}

type CallerContext = Context<unknown, { token?: unknown }>;
type Handler = (ctx: CallerContext) => Promise<unknown>;

/** All that Context.create takes; its own type has the shortest of its forms. */
type CreateArguments = [ServiceBroker, ActionEndpoint, Record<string, unknown>, Record<string, unknown>];

/** The header of a sealed request that names who calls. Headers go one hop; meta would be handed on and back. */
const CALLER = 'waybill-caller';

/**
 * The middleware; it belongs outside every one that refuses callers or changes params.
 *
 * A context that code of this process makes has a caller from its birth: that of the context it was called from, or
 * the engine. One that came over the transporter has none until it is proven here: by the seal of this mesh, which
 * also vouches for the caller named in the request, or by a token in `ctx.meta.token`.
 */
export function meshIdentity({ keys, verifyToken }: MeshIdentityOptions): Middleware {
  const guard = keys && new PacketGuard(keys.packets);

  const localAction = (next: Handler): Handler => {
    return function identified(ctx) {
      if (isKnown(ctx)) return next(ctx);
      const named = ctx.headers[CALLER] as Caller | undefined;
      if (named && guard?.isSealed(ctx.meta)) {
        setCaller(ctx, named);
        return next(ctx);
      }
      return proven(ctx, next);
    };
  };

  const proven = async (ctx: CallerContext, next: Handler): Promise<unknown> => {
    const { token } = ctx.meta;
    // On its way to other nodes it would be shown to all who listen there.
    delete ctx.meta.token;
    if (typeof token !== 'string') throw unproven(token);
    setCaller(ctx, await verifyToken(token));
    return await next(ctx);
  };

  return {
    name: 'MeshIdentity',
    localAction,
    remoteAction,
    created(broker: ServiceBroker) {
      broker.ContextFactory = knowingItsCaller(broker.ContextFactory);
      guard?.begin(broker);
    },
    ...guard?.hooks,
  } as unknown as Middleware;
}

function remoteAction(next: Handler): Handler {
  return function named(ctx) {
    // The headers may be an object of the caller's that it uses again.
    ctx.headers = { ...ctx.headers, [CALLER]: callerOf(ctx) };
    return next(ctx);
  };
}

/** Contexts that code of this process makes come from `create`; what makes one for a packet calls the constructor. */
function knowingItsCaller(Base: typeof Context): typeof Context {
  class KnownContext extends Base {
    static override create(...args: unknown[]): Context {
      const ctx = super.create(...(args as CreateArguments));
      const { parentCtx } = (args[3] ?? {}) as { parentCtx?: Context };
      setCaller(ctx, parentCtx ? callerOf(parentCtx) : ENGINE);
      return ctx;
    }
  }
  return KnownContext as unknown as typeof Context;
}

function isKnown(ctx: Context<unknown, object>): boolean {
  return (ctx.locals as { caller?: Caller }).caller !== undefined;
}

function unproven(token: unknown): Unauthenticated {
  return new Unauthenticated(
    token === undefined
      ? 'Put a bearer token in meta.token: a call from another node needs one, or the secret of this mesh'
      : 'meta.token must be a string: the bearer token without the word Bearer',
  );
}
