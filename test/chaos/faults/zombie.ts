/** A node that is suspended for longer than its lease, then wakes up and continues as if nothing had happened. */
import { readFileSync } from 'node:fs';
import { drawNode, type Fault, Missed, pause, up, withWorkInFlight } from './fault.ts';

export const zombie: Fault = {
  kind: 'zombie',
  weight: 10,
  draw(random, shape) {
    const name = drawNode(random, shape, ['orders', 'orders', 'inventory', 'tracking']);
    const inFlightMs = random.between(200, 700);
    const stoppedMs = shape.leaseMs + random.between(500, 2_500);
    return {
      targets: [name],
      detail: `${name} stopped for ${stoppedMs} ms`,
      async strike({ mesh, takeovers }) {
        await up(mesh, name);
        const node = mesh.node(name);
        await withWorkInFlight(mesh, inFlightMs, async () => {
          node.signal('SIGSTOP');
          takeovers.fellSilent(name);
          await pause(50);
          if (!isStopped(node.pid)) throw new Missed(`${name} does not stand still`);
        });
        await pause(stoppedMs);
        node.signal('SIGCONT');
        await pause(500);
      },
    };
  },
};

function isStopped(pid: number): boolean {
  if (process.platform !== 'linux') return true;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat[stat.lastIndexOf(')') + 2] === 'T';
}
