/** All connections of a node to one of its servers break off at once. */
import { connected, drawLink, type Fault, linkOf, linkTarget, Missed } from './fault.ts';

export const cut: Fault = {
  kind: 'cut',
  weight: 15,
  draw(random, shape) {
    const link = drawLink(random, shape);
    return {
      targets: [linkTarget(link)],
      detail: linkTarget(link),
      async strike({ mesh }) {
        const proxy = linkOf(mesh, link);
        await connected(proxy);
        if (proxy.cut() === 0) throw new Missed('there was no connection');
      },
    };
  },
};
