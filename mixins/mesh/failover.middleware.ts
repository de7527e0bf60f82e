/** Failover: repeats a call on another node when the node it was sent to is gone or hangs. */
import { type ActionSchema, type Context, Errors, type Middleware, type ServiceBroker } from 'moleculer';
import { isGiven } from '../params/params.ts';
import { RequestUndelivered } from './nats/undelivered.ts';

type RemoteHandler = (ctx: Context) => Promise<unknown>;

/**
 * Whether an action may be carried out twice with the same params without harm: always, only with this key in the meta of
 * the call, or only without this parameter.
 */
export type Repeatable = true | { readonly withMeta: string } | { readonly withoutParam: string };

/**
 * The middleware; it must wrap every middleware that counts or bounds calls, so that each attempt counts as one call.
 * A call that was certainly not executed is repeated. One that was in flight when its node was dropped may have been
 * executed: it is repeated if the action declares that as harmless (`repeatable`). The balancer has dropped the node by then,
 * so the call ends with an answer, or with the broker's error that no node offers the action. A call to a named node never
 * moves.
 */
export function failover(): Middleware {
  return {
    name: 'Failover',
    remoteAction(this: ServiceBroker, next, action) {
      const broker = this as unknown as { call(name: string, params: unknown, options: object): Promise<unknown> };
      const run = next as unknown as RemoteHandler;
      const { repeatable } = action as ActionSchema & { repeatable?: Repeatable };
      return function withFailover(ctx: Context) {
        return run(ctx).catch((error: unknown) => {
          if (
            isPinned(ctx) ||
            !(error instanceof RequestUndelivered || (isDropped(error, ctx) && mayRepeat(repeatable, ctx)))
          )
            throw error;
          return broker.call(action.name as string, ctx.params, { ctx: (ctx as CopyableContext).copy() });
        });
      };
    },
  };
}

/** Whether the node of the call was dropped while the call was in flight. */
const isDropped = (error: unknown, ctx: Context): boolean =>
  error instanceof Errors.RequestRejectedError &&
  (error.data as { nodeID?: string } | undefined)?.nodeID === (ctx.endpoint as { id?: string } | undefined)?.id;

/** Whether a call may be repeated; null counts as not given. */
export function mayRepeat(
  repeatable: Repeatable | undefined,
  { params, meta }: Pick<Context, 'params' | 'meta'>,
): boolean {
  if (repeatable === undefined || repeatable === true) return repeatable === true;
  if ('withMeta' in repeatable) return isGiven((meta as Record<string, unknown>)[repeatable.withMeta]);
  return !isGiven((params as Record<string, unknown>)[repeatable.withoutParam]);
}

/** Whether the caller chose the node. */
const isPinned = (ctx: Context): boolean => (ctx.options as { nodeID?: string }).nodeID !== undefined;

/** `Context.copy`, which Moleculer's own retries use; its types omit it. */
interface CopyableContext extends Context {
  copy(): Context;
}
