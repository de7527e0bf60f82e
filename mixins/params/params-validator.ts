/** The validator of action parameters: reports every fault at once, and bounds the cost of a hostile value. */
import type { CompilationFunction, PluginFn } from 'fastest-validator';
import { type Middleware, type Service, type ServiceBroker, Validators } from 'moleculer';

/** Replacements for messages of the validator that are not clear enough. */
const CLEARER_MESSAGES = {
  enumValue: "The '{field}' field must be one of: {expected}.",
  date: "The '{field}' field must be a valid date or time, such as 2026-01-31 or 2026-01-31T09:30:00Z.",
  stringPattern: "The '{field}' field has an invalid format.",
};

/** The fault of a value that cannot be formatted as text: nested too deeply, or with a broken `toString`. */
const UNREADABLE = { type: 'unreadable', field: '', message: 'A field has a value that cannot be processed.' };

type Check = ReturnType<Validators.Fastest['compile']>;

/** Moleculer's types only allow the result `true`. */
const faults = (...list: object[]): boolean => list as unknown as boolean;

/** Returns faults and never throws: an exception in a check would occupy a slot of the action's bulkhead for ever. */
export class ParamsValidator extends Validators.Fastest {
  constructor() {
    super({
      haltOnFirstError: false,
      useNewCustomCheckerFunction: true,
      messages: CLEARER_MESSAGES,
      plugins: [leaveLongListsUnread],
    });
  }

  /** Treats missing params, or null from another node, as empty params. */
  override middleware(broker: ServiceBroker): Middleware {
    const given = super.middleware(broker) as Required<Pick<Middleware, 'localAction'>> & Middleware;
    return {
      ...given,
      localAction(this: ServiceBroker, next, action) {
        const validated = given.localAction.call(this, next, action);
        return function withParams(this: Service, ctx) {
          ctx.params ??= {};
          return validated.call(this, ctx);
        };
      },
    };
  }

  override compile(schema: Parameters<Validators.Fastest['compile']>[0]): Check {
    const check: Check = super.compile(schema);
    const answer: Check = (params, options) => {
      try {
        return check(params, options);
      } catch (error) {
        // Formatting the value for a message can fail with either.
        if (error instanceof TypeError || error instanceof RangeError) return faults({ ...UNREADABLE });
        throw error;
      }
    };
    return Object.assign(answer, { async: check.async });
  }
}

/**
 * A plugin of fastest-validator that reports a list beyond its `max` as one fault. Checking every item of a 1 MB body
 * could yield half a million faults. It wraps the rule for arrays because the package has no hook before the items.
 */
const leaveLongListsUnread: PluginFn = (validator) => {
  // The package declares its rules with the type of a schema.
  const array = validator.rules.array as unknown as CompilationFunction;
  validator.add('array', (rule, path, context) => {
    const compiled = array.call(validator, rule, path, context);
    const { max } = rule.schema as { max?: number };
    if (max === undefined) return compiled;
    const { messages } = rule;
    const fault = validator.makeError({ type: 'arrayMax', expected: max, actual: 'value.length', messages });
    const source = `if (Array.isArray(value) && value.length > ${max}) { ${fault} return value; }\n${compiled.source}`;
    return { ...compiled, source };
  });
};
