/** All faults there are. A new one is a file beside this one and a line here. */
import { blackHole } from './black-hole.ts';
import { cut } from './cut.ts';
import type { Fault } from './fault.ts';
import { halfOpen } from './half-open.ts';
import { kill } from './kill.ts';
import { lateAnswer } from './late-answer.ts';
import { lostAnswer } from './lost-answer.ts';
import { natsKill } from './nats-kill.ts';
import { postgresRestart } from './postgres-restart.ts';
import { restartInRecovery } from './restart-in-recovery.ts';
import { slow } from './slow.ts';
import { terminate } from './terminate.ts';
import { zombie } from './zombie.ts';

export const FAULTS: readonly Fault[] = [
  kill,
  zombie,
  terminate,
  postgresRestart,
  restartInRecovery,
  cut,
  halfOpen,
  blackHole,
  natsKill,
  lostAnswer,
  lateAnswer,
  slow,
];
