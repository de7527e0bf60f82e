/** The validator of action parameters: every fault at once, and a bound on what a hostile value can make it do. */
import type { CompilationFunction, PluginFn } from 'fastest-validator';
import { type Middleware, type Service, type ServiceBroker, Validators } from 'moleculer';

/** Where the validator's own words leave the caller guessing. */
const CLEARER_MESSAGES = {
  enumValue: "The '{field}' field must be one of: {expected}.",
  date: "The '{field}' field must be a date or a time that exists, such as 2026-01-31 or 2026-01-31T09:30:00Z.",
  stringPattern: "The '{field}' field is not written as it must be.",
};

/** What is said of a value that cannot even be put into a message: one nested too deeply, or that only looks like text. */
const UNREADABLE = { type: 'unreadable', field: '', message: 'A field holds something that cannot be read.' };

type Check = ReturnType<Validators.Fastest['compile']>;

/** Moleculer's types know of the answer `true` only. */
const faults = (...list: object[]): boolean => list as unknown as boolean;

/** Answers its faults and never throws: what a check throws would take a place in the action's bulkhead for good. */
export class ParamsValidator extends Validators.Fastest {
  constructor() {
    super({
      haltOnFirstError: false,
      useNewCustomCheckerFunction: true,
      messages: CLEARER_MESSAGES,
      plugins: [leaveLongListsUnread],
    });
  }

  /** A call without params, or with null from another node, is one with empty params. */
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
        // Turning what was sent into text can fail with either.
        if (error instanceof TypeError || error instanceof RangeError) return faults({ ...UNREADABLE });
        throw error;
      }
    };
    return Object.assign(answer, { async: check.async });
  }
}

/**
 * A plugin of fastest-validator: a list past its `max` is one fault. Read to its end, a body of 1 MB would have half a
 * million. The rule for lists is built upon, as the package offers no check before it reads the items.
 */
const leaveLongListsUnread: PluginFn = (validator) => {
  // Its types take a rule for the schema of one.
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
