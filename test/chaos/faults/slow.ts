/** The network between a node and one of its servers is slow for a while. */
import { connected, drawLink, type Fault, linkOf, linkTarget, pause } from './fault.ts';

export const slow: Fault = {
  kind: 'slow',
  weight: 10,
  draw(random, shape) {
    const link = drawLink(random, shape);
    const delayMs = random.between(50, 600);
    const forMs = random.between(1_500, 5_000);
    return {
      targets: [linkTarget(link)],
      detail: `${linkTarget(link)} by ${delayMs} ms for ${forMs} ms`,
      async strike({ mesh }) {
        const proxy = linkOf(mesh, link);
        await connected(proxy);
        proxy.delayMs += delayMs;
        await pause(forMs);
        proxy.delayMs -= delayMs;
      },
    };
  },
};
