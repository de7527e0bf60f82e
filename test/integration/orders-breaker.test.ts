/** A peer that hangs, on the whole engine: after a while no request waits for it. */
import { beforeAll, expect, test } from '@jest/globals';
import { bodyOf, type Engine, hang, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ env: { CALL_TIMEOUT: '500ms' }, breaker: { halfOpenTime: 1_000 } });
});

const confirmed = (id: number | undefined): Promise<void> =>
  eventually(async () => expect(await engine.order(id)).toMatchObject({ status: 'CONFIRMED' }));

test('a peer that hangs opens its breaker: the next order is pending at once, without a call', async () => {
  const product = await engine.product();
  engine.disturb('inventory.reserve', hang);
  const hanging = Array.from({ length: 25 }, () => engine.post(bodyOf(product)));
  for (const answer of await Promise.all(hanging))
    expect(answer).toMatchObject({ status: 503, body: { status: 'PENDING_CHECK' } });
  const refused = await eventually(async () => {
    const answer = await engine.post(bodyOf(product));
    expect(answer).toMatchObject({ status: 503, body: { status: 'PENDING_CHECK' } });
    expect(engine.called('inventory.reserve', answer.body.orderId)).toBe(0);
    return answer;
  });
  engine.disturb('inventory.reserve', undefined);
  await confirmed(refused.body.orderId);
  for (const { body } of await Promise.all(hanging)) await confirmed(body.orderId);
});
