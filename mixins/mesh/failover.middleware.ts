/** Makes a call to another node when the one it was made to is not there any more. */
import type { Context, Middleware, ServiceBroker } from 'moleculer';
import { RequestUndelivered } from './nats/undelivered.ts';

type RemoteHandler = (ctx: Context) => Promise<unknown>;

/**
 * The middleware; it belongs outside of all that count or bound a call, so that each attempt is one call to them. Only what
 * was certainly not executed is repeated. The balancer has forgotten the dead node by then, so this ends with an answer, or
 * with the broker's own error that no node offers the action. A call to a node by name is made to nobody else.
 */
export function failover(): Middleware {
  return {
    name: 'Failover',
    remoteAction(this: ServiceBroker, next, action) {
      const broker = this as unknown as { call(name: string, params: unknown, options: object): Promise<unknown> };
      const run = next as unknown as RemoteHandler;
      return function withFailover(ctx: Context) {
        return run(ctx).catch((error: unknown) => {
          if (!(error instanceof RequestUndelivered) || isPinned(ctx)) throw error;
          return broker.call(action.name as string, ctx.params, { ctx: (ctx as CopyableContext).copy() });
        });
      };
    },
  };
}

/** Whether the caller has chosen the node itself. */
const isPinned = (ctx: Context): boolean => (ctx.options as { nodeID?: string }).nodeID !== undefined;

/** `Context.copy` as Moleculer's own retries use it; its types leave it out. */
interface CopyableContext extends Context {
  copy(): Context;
}
