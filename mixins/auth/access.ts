/** Who may call what: the rule that every action's schema carries under `access`. */
import { Forbidden } from './auth.failures.ts';
import type { Caller, Role } from './caller.ts';

/**
 * The roles that may call an action. The engine itself always may: with an empty list it alone does. A rule says
 * nothing about whose rows a caller sees; that is a condition of the action's SQL (see confinedTo).
 */
export type AccessRule = readonly Role[];

/** Refuses a caller whose role a rule does not name. @throws Forbidden with the roles that are needed */
export function demandRole(caller: Caller, rule: AccessRule): void {
  if (caller.role === 'service' || rule.includes(caller.role)) return;
  const needed = rule.length === 0 ? 'Only the engine itself may do this' : `This needs the role ${rule.join(' or ')}`;
  throw new Forbidden(`${needed}; yours is ${caller.role}`, { role: caller.role, needs: [...rule] });
}
