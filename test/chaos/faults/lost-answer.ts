/** A commit goes through, and its answer never arrives: the connection breaks off instead. */
import { drawLink, type Fault, linkOf, linkTarget, Missed } from './fault.ts';

/** What a commit looks like on the wire: the word, or one of the statements that commit by themselves. */
export const COMMIT = /COMMIT|orders\.(save|insert)|tracking\.create/;
const WAIT_MS = 5_000;

export const lostAnswer: Fault = {
  kind: 'lost-answer',
  weight: 10,
  draw(random, shape) {
    const link = drawLink(random, shape, false);
    return {
      targets: [linkTarget(link)],
      detail: linkTarget(link),
      async strike({ mesh }) {
        const struck = await linkOf(mesh, link).afterNextCommit(COMMIT, { do: 'cut' }, WAIT_MS);
        if (!struck) throw new Missed('no commit came by');
      },
    };
  },
};
