/** SIGTERM with work in flight, as at every upgrade: the node must finish it, and exit 0 within 10 s. */
import { drawNode, type Fault, Misbehaved, pause, up, withWorkInFlight } from './fault.ts';

const WITHIN_MS = 10_000;

export const terminate: Fault = {
  kind: 'terminate',
  weight: 10,
  draw(random, shape) {
    const name = drawNode(random, shape, ['api', 'orders', 'orders', 'inventory', 'tracking']);
    const inFlightMs = random.between(100, 500);
    const awayMs = random.between(0, 1_500);
    return {
      targets: [name],
      detail: `${name}, back after ${awayMs} ms`,
      async strike({ mesh }) {
        await up(mesh, name);
        const node = mesh.node(name);
        await withWorkInFlight(mesh, inFlightMs, async () => {
          const began = performance.now();
          const { code, signal } = await node.end('SIGTERM');
          const tookMs = performance.now() - began;
          if (code !== 0) throw new Misbehaved(`${name} ended with ${code ?? signal} after SIGTERM and not with 0`);
          if (tookMs > WITHIN_MS + 500)
            throw new Misbehaved(`${name} took ${Math.round(tookMs)} ms to end after SIGTERM`);
        });
        await pause(awayMs);
        await node.start();
      },
    };
  },
};
