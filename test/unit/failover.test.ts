/** Which calls may be repeated although a node that hangs may have executed them. */
import { expect, test } from '@jest/globals';
import { mayRepeat, type Repeatable } from '../../mixins/mesh/failover.middleware.ts';

const KEYED: Repeatable = { withMeta: 'idempotencyKey' };
const UNCONDITIONAL: Repeatable = { withoutParam: 'ifMatch' };

test.each<[Repeatable | undefined, meta: object, params: object, boolean]>([
  [undefined, {}, {}, false],
  [true, {}, {}, true],
  [KEYED, { idempotencyKey: 'k' }, {}, true],
  [KEYED, {}, {}, false],
  // Null is no key: the placement would be made twice.
  [KEYED, { idempotencyKey: null }, {}, false],
  [UNCONDITIONAL, {}, {}, true],
  [UNCONDITIONAL, {}, { ifMatch: null }, true],
  [UNCONDITIONAL, {}, { ifMatch: ['1'] }, false],
])('with the rule %j, meta %j and params %j: %s', (repeatable, meta, params, expected) => {
  expect(mayRepeat(repeatable, { meta, params })).toBe(expected);
});
