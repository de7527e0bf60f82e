/** A Waybill process that can be inspected: its memory, and whether its state has changed. */
import { fileURLToPath } from 'node:url';
import { eventually } from '../eventually.ts';
import { startWaybill, type Waybill, type WaybillOptions } from '../waybill.ts';

const PROBE = fileURLToPath(new URL('probe.mjs', import.meta.url));

/** Warnings about short outages, which every start logs. */
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
  /** All its complaints: warnings of Node.js, unhandled rejections, everything logged as an error. */
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
