/** kill -9 of a node with work in flight; it is started again a while later. */
import { drawNode, type Fault, Misbehaved, pause, up, withWorkInFlight } from './fault.ts';

export const kill: Fault = {
  kind: 'kill',
  weight: 20,
  draw(random, shape) {
    const name = drawNode(random, shape, ['api', 'orders', 'orders', 'inventory', 'tracking']);
    const inFlightMs = random.between(200, 700);
    const awayMs = random.between(0, 3_000);
    return {
      targets: [name],
      detail: `${name}, back after ${awayMs} ms`,
      async strike({ mesh, takeovers }) {
        await up(mesh, name);
        const node = mesh.node(name);
        await withWorkInFlight(mesh, inFlightMs, async () => {
          const { signal } = await node.end('SIGKILL');
          if (signal !== 'SIGKILL') throw new Misbehaved(`${name} ended with ${signal} and not by SIGKILL`);
          takeovers.fellSilent(name);
        });
        await pause(awayMs);
        await node.start();
      },
    };
  },
};
