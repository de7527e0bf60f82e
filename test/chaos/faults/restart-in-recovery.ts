/** A node is killed, and while others take its work over, the database of orders crashes: recovery itself is struck. */
import { databaseTarget, type Fault, Misbehaved, pause, up, withWorkInFlight } from './fault.ts';
import { nodeNames } from '../mesh.ts';

export const restartInRecovery: Fault = {
  kind: 'restart-in-recovery',
  weight: 5,
  draw(random, shape) {
    const name = random.pick(nodeNames('orders', shape));
    const inFlightMs = random.between(300, 700);
    const afterMs = shape.leaseMs + random.between(-1_000, 500);
    const awayMs = random.between(0, 1_500);
    return {
      targets: [name, databaseTarget('orders')],
      detail: `${name} killed, database crashed ${afterMs} ms later for ${awayMs} ms`,
      async strike({ mesh }) {
        await up(mesh, name);
        await withWorkInFlight(mesh, inFlightMs, async () => {
          const { signal } = await mesh.node(name).end('SIGKILL');
          if (signal !== 'SIGKILL') throw new Misbehaved(`${name} ended with ${signal} and not by SIGKILL`);
        });
        await pause(afterMs);
        const postgres = mesh.postgres('orders');
        await postgres.stop('immediate');
        await pause(awayMs);
        await postgres.start();
        await mesh.node(name).start();
      },
    };
  },
};
