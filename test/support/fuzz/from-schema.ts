/** Valid values out of the rules themselves: an arbitrary for every schema that fastest-validator is given. */
import fc, { type Arbitrary } from 'fast-check';

/** A rule in its long form. */
interface Rule extends Record<string, unknown> {
  type: string;
}

/**
 * Values that mean something, by the name of their field, or by `service.field` where a name means different things.
 * A rule cannot tell that an id is that of an order that is there.
 */
export type Hints = Readonly<Record<string, Arbitrary<unknown>>>;

/** Where a value is: the service whose action takes it, and the name of its field. */
interface Place {
  service: string;
  field: string;
  hints: Hints;
}

const MANY = 12;
const MAX = Number.MAX_SAFE_INTEGER;

/** Params that keep the rules of an action, and mostly mean something. `without` leaves fields out. */
export function validParams(
  params: unknown,
  service: string,
  hints: Hints,
  without: readonly string[] = [],
): Arbitrary<Record<string, unknown>> {
  return fieldsOf((params ?? {}) as Record<string, unknown>, { service, field: '', hints }, without);
}

function fieldsOf(fields: Record<string, unknown>, place: Place, without: readonly string[] = []) {
  const names = Object.keys(fields).filter((name) => !name.startsWith('$$') && !without.includes(name));
  const model = Object.fromEntries(names.map((field) => [field, valueOf(fields[field], { ...place, field })]));
  const requiredKeys = names.filter((name) => !alternatives(fields[name]).some(isOptional));
  return fc.record(model, { requiredKeys }) as Arbitrary<Record<string, unknown>>;
}

function isOptional(rule: Rule): boolean {
  return rule.optional === true || rule.default !== undefined;
}

function alternatives(rule: unknown): Rule[] {
  if (Array.isArray(rule)) return rule.flatMap(alternatives);
  if (typeof rule !== 'string') return [rule as Rule];
  const [type = '', ...flags] = rule.split('|');
  const options = flags.map((flag) => {
    const [name = '', value] = flag.split(':');
    return [name, value === undefined ? true : Number.isNaN(Number(value)) ? value : Number(value)];
  });
  return [{ type, ...(Object.fromEntries(options) as Record<string, unknown>) }];
}

function valueOf(rule: unknown, place: Place): Arbitrary<unknown> {
  const bySchema = fc.oneof(...alternatives(rule).map((each) => byType(each, place)));
  const hint = place.hints[`${place.service}.${place.field}`] ?? place.hints[place.field];
  return hint ? fc.oneof({ weight: 4, arbitrary: hint }, { weight: 1, arbitrary: bySchema }) : bySchema;
}

function byType(rule: Rule, place: Place): Arbitrary<unknown> {
  const make = TYPES[rule.type];
  // A type that is not known here would not be fuzzed: whoever uses it first adds it.
  if (!make) throw new Error(`from-schema.ts does not know the type ${rule.type} of ${place.service}.${place.field}`);
  const made = make(rule, place);
  return rule.nullable === true ? fc.oneof({ weight: 4, arbitrary: made }, fc.constant(null)) : made;
}

const TYPES: Record<string, (rule: Rule, place: Place) => Arbitrary<unknown>> = {
  any: () => fc.jsonValue({ maxDepth: 2 }),
  custom: () => fc.jsonValue({ maxDepth: 2 }),
  array: (rule, place) => listOf(rule, place),
  boolean: () => fc.boolean(),
  date: () => fc.date({ noInvalidDate: true }),
  email: () => fc.emailAddress(),
  enum: (rule) => fc.constantFrom(...(rule.values as unknown[])),
  equal: (rule) => fc.constant(rule.value),
  number: (rule) => numberOf(rule),
  object: (rule, place) => fieldsOf((rule.props ?? rule.properties ?? {}) as Record<string, unknown>, place),
  record: (rule, place) => fc.dictionary(fc.string({ maxLength: 10 }), valueOf(rule.value ?? 'any', place)),
  string: (rule) => textOf(rule),
  url: () => fc.webUrl(),
  uuid: () => fc.uuid(),
};

function listOf(rule: Rule, place: Place): Arbitrary<unknown[]> {
  const { min = 0, max = 1_000, length } = rule as { min?: number; max?: number; length?: number };
  const item = rule.items === undefined ? fc.jsonValue({ maxDepth: 1 }) : valueOf(rule.items, place);
  if (length !== undefined) return fc.array(item, { minLength: length, maxLength: length });
  return fc.array(item, { minLength: min, maxLength: Math.min(max, Math.max(min, 4)) });
}

function numberOf(rule: Rule): Arbitrary<unknown> {
  const least = (rule.min as number | undefined) ?? (rule.positive === true ? 1 : -MAX);
  const most = (rule.max as number | undefined) ?? MAX;
  const [min, max] = [Math.ceil(least), Math.floor(most)];
  const small = fc.integer({ min, max: Math.min(max, min + MANY) });
  const edges = fc.constantFrom(min, max);
  const whole = fc.oneof({ weight: 6, arbitrary: small }, { weight: 1, arbitrary: edges }, fc.integer({ min, max }));
  const cents = fc.integer({ min: 1, max: 10_000 }).map((n) => n / 100);
  const fits = cents.filter((value) => value >= least && value <= most);
  const number = rule.integer === true || most < 100 ? whole : fc.oneof(whole, fits);
  return rule.convert === true ? fc.oneof({ weight: 4, arbitrary: number }, number.map(String)) : number;
}

function textOf({ min = 0, max = MANY, length, pattern }: Rule & { min?: number; max?: number; length?: number }) {
  const least = length ?? min;
  const most = length ?? max;
  const anyText = fc.string({ unit: 'grapheme', minLength: least, maxLength: Math.max(least, Math.min(most, MANY)) });
  const full = fc.constant('é'.repeat(Math.min(most, 10_000)));
  const text = fc.oneof({ weight: 8, arbitrary: anyText.filter((value) => value.length <= most) }, full);
  return pattern instanceof RegExp ? text.filter((value) => pattern.test(value)) : text;
}
