/** Breaks a valid value in a few places, as careless and as hostile callers do. */
import fc, { type Arbitrary } from 'fast-check';
import { strangeName } from './poison.ts';

/** One blow. `where` picks a place of the value, whatever its shape is. */
interface Blow {
  how: 'replace' | 'remove' | 'add' | 'wrap' | 'repeat' | 'spell' | 'rename';
  where: number;
  value: unknown;
  name: string;
}

/** A place in a value: what holds it, and under which key. */
interface Slot {
  holder: Record<string, unknown> | unknown[];
  key: string;
}

const HOWS = ['replace', 'replace', 'replace', 'remove', 'add', 'wrap', 'repeat', 'spell', 'rename'] as const;
const REPEATS = 1_100;
const DEEPEST = 5;
const MAX_SLOTS = 2_000;

/** The values of `valid`, about half of them broken in one to three places by `poison`. */
export function sometimesBroken(valid: Arbitrary<unknown>, poison: Arbitrary<unknown>): Arbitrary<unknown> {
  const blow: Arbitrary<Blow> = fc.record({
    how: fc.constantFrom(...HOWS),
    where: fc.nat(1_000),
    value: poison,
    name: strangeName,
  });
  const blows = fc.oneof(
    { weight: 4, arbitrary: fc.constant<Blow[]>([]) },
    { weight: 5, arbitrary: fc.array(blow, { minLength: 1, maxLength: 3 }) },
  );
  return fc.oneof(
    { weight: 30, arbitrary: fc.tuple(valid, blows).map(([value, all]) => all.reduce(struck, value)) },
    { weight: 1, arbitrary: poison },
  );
}

/** The value after one blow; the value given stays as it is. */
function struck(value: unknown, { how, where, value: poison, name }: Blow): unknown {
  const root = { root: copy(value) };
  const slots = slotsOf(root);
  const slot = slots[where % slots.length] as Slot;
  const holder = slot.holder as Record<string, unknown>;
  const present = holder[slot.key];
  if (how === 'remove' || how === 'rename') {
    if (Array.isArray(holder)) holder.splice(Number(slot.key), 1);
    else if (slot.key !== 'root') delete holder[slot.key];
    if (how === 'rename' && !Array.isArray(holder) && slot.key !== 'root') own(holder, name, present);
  } else if (how === 'add') {
    const into = isPlain(present) ? present : holder;
    if (Array.isArray(into)) into.push(poison);
    else own(into, name, poison);
  } else if (how === 'wrap') holder[slot.key] = where % 2 === 0 ? [present] : { [slot.key]: present };
  else if (how === 'repeat' && slots.length < REPEATS) holder[slot.key] = Array(REPEATS).fill(present);
  else if (how === 'spell') holder[slot.key] = typeof present === 'number' ? String(present) : 7;
  else holder[slot.key] = poison;
  return root.root;
}

/** Sets a key of its own, also one that assignment would take for something else. */
function own(holder: object, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The places of a value, as many as are worth choosing from. */
function slotsOf(holder: Record<string, unknown> | unknown[], depth = 0, slots: Slot[] = []): Slot[] {
  if (depth > DEEPEST) return slots;
  for (const key of Object.keys(holder)) {
    if (slots.length >= MAX_SLOTS) break;
    const value = (holder as Record<string, unknown>)[key];
    slots.push({ holder, key });
    if (isPlain(value) || Array.isArray(value)) slotsOf(value as unknown[], depth + 1, slots);
  }
  return slots;
}

function copy(value: unknown, depth = 0): unknown {
  if (depth > DEEPEST) return value;
  if (Array.isArray(value)) return value.map((part) => copy(part, depth + 1));
  if (!isPlain(value)) return value;
  const copied = {};
  for (const [key, part] of Object.entries(value)) own(copied, key, copy(part, depth + 1));
  return copied;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));
}
