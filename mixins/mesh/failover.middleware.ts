/** Failover: repeats a call on another node when the node it was sent to is gone. */
import type { Context, Middleware, ServiceBroker } from 'moleculer';
import { RequestUndelivered } from './nats/undelivered.ts';

type RemoteHandler = (ctx: Context) => Promise<unknown>;

/**
 * The middleware; it must wrap every middleware that counts or bounds calls, so that each attempt counts as one call.
 * Only calls that were certainly not executed are repeated. The balancer has dropped the dead node by then, so the call
 * ends with an answer, or with the broker's error that no node offers the action. A call to a named node never moves.
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

/** Whether the caller chose the node. */
const isPinned = (ctx: Context): boolean => (ctx.options as { nodeID?: string }).nodeID !== undefined;

/** `Context.copy`, which Moleculer's own retries use; its types omit it. */
interface CopyableContext extends Context {
  copy(): Context;
}
