/** Holds calls against the rule of their action, and services against having one. */
import type { Context, Middleware, Service } from 'moleculer';
import { StartRefused } from '../process/refusal.ts';
import { type AccessRule, demandRole } from './access.ts';
import { callerOf } from './caller.ts';

interface Action {
  name?: string;
  visibility?: string;
  access?: AccessRule;
}

/** Moleculer's own actions of every node tell who is there and with which options, passwords among them. */
const OF_THE_NODE = '$node.';

/**
 * The middleware. It stands outside of every other that looks at a call, and inside the one that says who calls, so
 * that a caller who may not is told so before anything else about the call is. With `enforced` false callers may do
 * everything, and calls cost nothing more; that every action has a rule is demanded all the same.
 */
export function access({ enforced }: { enforced: boolean }): Middleware {
  return {
    name: 'Access',

    localAction(next, action) {
      const rule = enforced ? ruleOf(action) : undefined;
      if (rule === undefined) return next;
      const run = next as (ctx: Context) => Promise<unknown>;
      return function guarded(ctx: Context) {
        try {
          demandRole(callerOf(ctx), rule);
        } catch (error) {
          return Promise.reject(error);
        }
        return run(ctx);
      };
    },

    serviceCreated(service) {
      const open = withoutRule(service);
      if (open.length === 0) return;
      // A start handler that fails is how a start is refused.
      service.schema.started = () => {
        throw new StartRefused(`say who may call ${open.join(', ')}: each needs a list of roles under access`);
      };
    },
  };
}

/** Undefined for what can be reached from inside its own service only. */
function ruleOf({ name = '', visibility, access: rule }: Action): AccessRule | undefined {
  if (name.startsWith(OF_THE_NODE)) return [];
  // A request over the mesh reaches protected actions too, when it names them.
  return rule ?? (visibility === 'private' ? undefined : []);
}

function withoutRule(service: Service): string[] {
  if (service.name === '$node') return [];
  return Object.entries(service.schema.actions ?? {})
    .filter(([, action]) => action !== false && !isClosed(action as Action))
    .map(([name]) => `${service.fullName}.${name}`);
}

function isClosed({ visibility, access: rule }: Action): boolean {
  return Array.isArray(rule) || visibility === 'private' || visibility === 'protected';
}
