/** Identifies the caller of every action, and demands proof of callers on the mesh. Installed when authentication is on. */
import type { ActionEndpoint, Context, Middleware, ServiceBroker } from 'moleculer';
import { Unauthenticated } from './auth.failures.ts';
import type { MeshKeys } from '../mesh/seal/mesh-keys.ts';
import { PacketGuard } from '../mesh/seal/packet-guard.ts';
import { type Caller, callerOf, ENGINE, setCaller } from './caller.ts';

export interface MeshIdentityOptions {
  /** The keys of the mesh; undefined when this is the only node. */
  keys: MeshKeys | undefined;
  /** The caller that a bearer token identifies. @throws Unauthenticated for an invalid token */
  verifyToken: (token: string) => Caller | Promise<Caller>;
}

type CallerContext = Context<unknown, { token?: unknown }>;
type Handler = (ctx: CallerContext) => Promise<unknown>;

/** Every argument of Context.create; Moleculer's types declare only its shortest overload. */
type CreateArguments = [ServiceBroker, ActionEndpoint, Record<string, unknown>, Record<string, unknown>];

/** The header of a sealed request that names the caller. Headers travel one hop; meta would travel on, and back. */
const CALLER = 'waybill-caller';

/**
 * The middleware; it must wrap every middleware that refuses callers or changes params.
 *
 * A context created in this process gets its caller at creation: that of its parent context, or the engine. A context
 * that came over the transporter has none until it is proven here: by the seal of this mesh, which also vouches for the
 * caller that the request names, or by a token in `ctx.meta.token`.
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
    // Meta travels on to other nodes: every subscriber there would see the token.
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
    // The caller may reuse its headers object, so it is copied.
    ctx.headers = { ...ctx.headers, [CALLER]: callerOf(ctx) };
    return next(ctx);
  };
}

/** This process creates its contexts with `create`; for a packet from the mesh Moleculer calls the constructor. */
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
      ? 'Authentication required: send a bearer token in meta.token, or give the calling node the secret of this mesh'
      : 'meta.token must be a string: the bearer token without the word Bearer',
  );
}
