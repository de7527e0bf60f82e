/** Checks every call against the access rule of its action, and refuses to start a service whose actions lack one. */
import type { Context, Middleware, Service } from 'moleculer';
import { StartRefused } from '../process/refusal.ts';
import { type AccessRule, demandRole } from './access.ts';
import { callerOf } from './caller.ts';

interface Action {
  name?: string;
  visibility?: string;
  access?: AccessRule;
}

/** Moleculer's internal actions list the nodes of the mesh and their options, passwords included. */
const OF_THE_NODE = '$node.';

/**
 * The middleware. It runs after the caller is identified and before everything else that looks at a call, so that an
 * unauthorized caller learns nothing else about it. With `enforced` false every caller may do everything, at no cost
 * per call; every action still needs a rule.
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
      // A start handler that throws is how a service refuses the start.
      service.schema.started = () => {
        throw new StartRefused(`no access rule for ${open.join(', ')}: list the roles that may call it under access`);
      };
    },
  };
}

/** The rule to enforce; undefined for actions that only their own service can reach. */
function ruleOf({ name = '', visibility, access: rule }: Action): AccessRule | undefined {
  if (name.startsWith(OF_THE_NODE)) return [];
  // A request over the mesh can also reach protected actions by name.
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
