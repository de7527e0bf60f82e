/** A commit goes through, and its answer arrives after everybody who waited for it has given up. */
import { drawNode, type Fault, linkOf, linkTarget, Missed, pause } from './fault.ts';
import { COMMIT } from './lost-answer.ts';

const WAIT_MS = 5_000;

export const lateAnswer: Fault = {
  kind: 'late-answer',
  weight: 10,
  draw(random, shape) {
    const node = drawNode(random, shape, ['inventory', 'inventory', 'tracking', 'orders']);
    const link = { node, to: 'postgres' } as const;
    const lateMs = shape.callTimeoutMs + random.between(200, 4_000);
    return {
      targets: [linkTarget(link)],
      detail: `${linkTarget(link)} by ${lateMs} ms`,
      async strike({ mesh }) {
        const struck = await linkOf(mesh, link).afterNextCommit(COMMIT, { do: 'hold', ms: lateMs }, WAIT_MS);
        if (!struck) throw new Missed('no commit came by');
        await pause(lateMs);
      },
    };
  },
};
