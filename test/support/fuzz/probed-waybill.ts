/** A Waybill process whose inside can be asked after: what it holds in memory, and whether it is still as it was. */
import { fileURLToPath } from 'node:url';
import { eventually } from '../eventually.ts';
import { startWaybill, type Waybill, type WaybillOptions } from '../waybill.ts';

const PROBE = fileURLToPath(new URL('probe.mjs', import.meta.url));

/** What is away for a moment is warned of, as during every start. */
const LOGGED_WARNING = /^\[\S+\] WARN /;
const LOGGED_ERROR = /^\[\S+\] (?:ERROR|FATAL) /;

export interface Inside {
  /** Bytes of the heap and of buffers that are still reachable. */
  reachableBytes: number;
  /** What the prototypes of JavaScript have got since the start. */
  added: string[];
}

export interface ProbedWaybill extends Waybill {
  look(): Promise<Inside>;
  /** All it has complained of: warnings of Node.js, rejections that nobody heard, everything logged as an error. */
  complaints(): string[];
}

export async function startProbedWaybill(options: WaybillOptions): Promise<ProbedWaybill> {
  const waybill = await startWaybill({ ...options, preload: [PROBE] });
  const probes = (): string[] => waybill.stderr.filter((line) => line.startsWith('PROBE '));
  return {
    ...waybill,
    async look() {
      const before = probes().length;
      process.kill(waybill.pid, 'SIGUSR2');
      return await eventually(() => {
        const line = probes()[before];
        if (line === undefined) throw new Error('the process has not answered');
        return JSON.parse(line.slice('PROBE '.length)) as Inside;
      });
    },
    complaints: () => [
      ...waybill.stderr.filter((line) => !line.startsWith('PROBE ') && !LOGGED_WARNING.test(line)),
      ...waybill.stdout.filter((line) => LOGGED_ERROR.test(line)),
    ],
  };
}
