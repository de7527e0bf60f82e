/** The connections of a node stay open, but nothing passes; when the network is back, they are reset. */
import { connected, drawLink, type Fault, linkOf, linkTarget, Missed, pause } from './fault.ts';

export const halfOpen: Fault = {
  kind: 'half-open',
  weight: 10,
  draw(random, shape) {
    const link = drawLink(random, shape);
    const forMs = random.between(1_000, 8_000);
    return {
      targets: [linkTarget(link)],
      detail: `${linkTarget(link)} for ${forMs} ms`,
      async strike({ mesh }) {
        const proxy = linkOf(mesh, link);
        await connected(proxy);
        const struck = proxy.falterOpen();
        await pause(forMs);
        proxy.heal('reset');
        if (struck === 0) throw new Missed('there was no connection');
      },
    };
  },
};
