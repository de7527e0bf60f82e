/** Access rules: which roles may call an action, declared in its schema under `access`. */
import { Forbidden } from './auth.failures.ts';
import type { Caller, Role } from './caller.ts';

/**
 * The roles that may call an action. The engine itself always may; an empty list means nobody else does. A rule does not
 * limit which rows a caller sees: the action's SQL does that (see confinedTo).
 */
export type AccessRule = readonly Role[];

/** Refuses a caller whose role is not in the rule. @throws Forbidden with the roles that are */
export function demandRole(caller: Caller, rule: AccessRule): void {
  if (caller.role === 'service' || rule.includes(caller.role)) return;
  const needed =
    rule.length === 0 ? 'This action is reserved for the engine' : `Requires the role ${rule.join(' or ')}`;
  throw new Forbidden(`${needed}; your role is ${caller.role}`, { role: caller.role, needs: [...rule] });
}
