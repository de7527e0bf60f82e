/** The connections of a node fall silent for ever, as when a firewall forgets them: neither end is ever told. */
import { connected, drawLink, type Fault, linkOf, linkTarget, Missed, pause } from './fault.ts';

export const blackHole: Fault = {
  kind: 'black-hole',
  weight: 4,
  draw(random, shape) {
    const link = drawLink(random, shape);
    const forMs = random.between(200, 3_000);
    return {
      targets: [linkTarget(link)],
      detail: `${linkTarget(link)}, new connections after ${forMs} ms`,
      async strike({ mesh }) {
        const proxy = linkOf(mesh, link);
        await connected(proxy);
        const struck = proxy.falterOpen();
        await pause(forMs);
        proxy.heal('silent');
        if (struck === 0) throw new Missed('there was no connection');
      },
    };
  },
};
