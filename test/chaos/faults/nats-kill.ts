/** NATS is killed, and comes back with what JetStream had stored. */
import { type Fault, Misbehaved, pause } from './fault.ts';

export const natsKill: Fault = {
  kind: 'nats-kill',
  weight: 7,
  draw(random) {
    const awayMs = random.between(300, 5_000);
    return {
      targets: ['nats'],
      detail: `back after ${awayMs} ms`,
      async strike({ mesh }) {
        const signal = await mesh.nats.kill();
        await pause(awayMs);
        await mesh.nats.start();
        if (signal !== 'SIGKILL') throw new Misbehaved(`NATS ended with ${signal}`);
      },
    };
  },
};
