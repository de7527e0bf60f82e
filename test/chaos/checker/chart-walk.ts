/** A history walked over the order's own statechart: is it a path, where does it end, what did it announce on the way. */
import type { EventType } from '../../../machines/shared/domain-event.ts';
import { type ChartState, INITIAL_STATE, stepOf } from '../../../machines/order/order.chart.ts';
import { ORDER_EVENTS, type OrderEventType } from '../../../machines/order/order.words.ts';
import type { HistoryEntryView } from '../../../services/orders/orders.types.ts';

export interface Walk {
  /** The first thing that is not as the chart has it. */
  readonly problem: string | undefined;
  /** Where the walk ended. */
  readonly state: ChartState;
  /** The ids and types of the events it announced, in their order. */
  readonly announced: readonly { id: string; type: EventType }[];
}

export function walk(orderId: number, history: readonly HistoryEntryView[]): Walk {
  let state = INITIAL_STATE;
  const announced: { id: string; type: EventType }[] = [];
  const stop = (problem: string): Walk => ({ problem, state, announced });
  for (const [index, { seq, event, from, to }] of history.entries()) {
    if (seq !== index + 1) return stop(`entry ${index + 1} has the number ${seq}`);
    if (index === 0) {
      if (event !== 'PLACE' || from !== null || to !== 'PENDING_CHECK')
        return stop(`it begins with ${event} from ${from} to ${to}`);
      announced.push({ id: `order-${orderId}-1`, type: 'order.created' });
      continue;
    }
    const known: readonly string[] = ORDER_EVENTS;
    const step = known.includes(event) ? stepOf(state, event as OrderEventType) : undefined;
    if (!step) return stop(`${event} (${seq}) cannot happen in ${JSON.stringify(state.value)}`);
    if (from !== state.status || to !== step.to.status)
      return stop(
        `${event} (${seq}) is noted from ${from} to ${to}: it leads from ${state.status} to ${step.to.status}`,
      );
    state = step.to;
    announced.push(
      ...step.announces.map((type, nth) => ({ id: `order-${orderId}-${seq}${nth === 0 ? '' : `-${nth}`}`, type })),
    );
  }
  return { problem: history.length === 0 ? 'it is empty' : undefined, state, announced };
}
