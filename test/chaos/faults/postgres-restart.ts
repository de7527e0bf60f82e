/** PostgreSQL restarted during traffic, properly or as by a crash. */
import { databaseTarget, drawDatabase, type Fault, pause } from './fault.ts';

export const postgresRestart: Fault = {
  kind: 'postgres-restart',
  weight: 10,
  draw(random) {
    const service = drawDatabase(random);
    const mode = random.pick(['fast', 'immediate'] as const);
    const awayMs = random.between(0, 3_000);
    return {
      targets: [databaseTarget(service)],
      detail: `${service}, ${mode}, back after ${awayMs} ms`,
      async strike({ mesh }) {
        const postgres = mesh.postgres(service);
        await postgres.stop(mode);
        await pause(awayMs);
        await postgres.start();
      },
    };
  },
};
