/** Generates docs/understand/order-lifecycle.md by querying the machines for every state they can reach. */
import { type ChartState, INITIAL_STATE, type OrderState, stepOf } from '../../machines/order/order.chart.ts';
import { ORDER_MACHINE_VERSION } from '../../machines/order/order.machine.ts';
import { ORDER_EVENTS } from '../../machines/order/order.words.ts';
import {
  SHIPMENT_EVENTS,
  SHIPMENT_MACHINE_VERSION,
  SHIPMENT_STATES,
  shipmentStep,
} from '../../machines/shipment/shipment.machine.ts';

/** The path of the generated page, relative to the project. */
export const LIFECYCLE_FILE = 'docs/understand/order-lifecycle.md';

interface Arrow {
  from: string;
  to: string;
  event: string;
}

/** Every reachable state of an order, found by applying every event to each state. */
function reachable(): { states: ChartState[]; steps: { from: ChartState; to: ChartState; event: string }[] } {
  const states = [INITIAL_STATE];
  const steps: { from: ChartState; to: ChartState; event: string }[] = [];
  for (const from of states) {
    for (const event of ORDER_EVENTS) {
      const step = stepOf(from, event);
      if (!step) continue;
      steps.push({ from, to: step.to, event });
      if (!states.includes(step.to)) states.push(step.to);
    }
  }
  return { states, steps };
}

interface Drawing {
  initial: string;
  arrows: readonly Arrow[];
  /** States after which nothing more can happen. */
  ends: Iterable<string>;
  notes?: ReadonlyMap<string, string>;
}

/** A Mermaid state diagram: one arrow per pair of states, labelled with all events between them. */
function diagram({ initial, arrows, ends, notes = new Map() }: Drawing): string {
  const events = new Map<string, Set<string>>();
  for (const { from, to, event } of arrows) {
    const pair = `${from} --> ${to}`;
    events.set(pair, (events.get(pair) ?? new Set()).add(event));
  }
  return [
    '```mermaid',
    'stateDiagram-v2',
    `    [*] --> ${initial}`,
    ...[...events].map(([pair, names]) => `    ${pair}: ${[...names].join(', ')}`),
    ...[...new Set(ends)].map((state) => `    ${state} --> [*]`),
    ...[...notes].map(([state, note]) => `    note right of ${state}: ${note}`),
    '```',
  ].join('\n');
}

function regionDiagram(region: keyof OrderState, notes?: ReadonlyMap<string, string>): string {
  const { states, steps } = reachable();
  const arrows = steps
    .map(({ from, to, event }) => ({ from: from.value[region], to: to.value[region], event }))
    .filter(({ from, to }) => from !== to);
  const ends = states.filter(({ allows }) => allows.length === 0).map(({ value }) => value[region]);
  return diagram({ initial: INITIAL_STATE.value[region], arrows, ends, notes });
}

/** The effects that the states of a region owe to the region's peer service. */
function owedIn(region: 'stock' | 'shipment', peer: 'inventory' | 'tracking'): Map<string, string> {
  const owed = new Map<string, string>();
  for (const state of reachable().states) {
    const effect = state.owed.find(({ from }) => from === peer)?.effect;
    if (effect) owed.set(state.value[region], `owes ${effect}`);
  }
  return owed;
}

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ') || '–';

function stateTable(): string {
  const rows = reachable().states.map(({ value, owed, allows }) => {
    const effects = owed.map(({ effect }) => effect);
    return `| ${value.order} | ${value.stock} | ${value.shipment} | ${code(effects)} | ${code(allows)} |`;
  });
  return ['| `order` | `stock` | `shipment` | owes | allows |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function shipmentDiagram(): string {
  const arrows = SHIPMENT_STATES.flatMap((from) =>
    SHIPMENT_EVENTS.flatMap((event) => {
      const to = shipmentStep(from, event);
      return to ? [{ from, to, event }] : [];
    }),
  );
  const ends = SHIPMENT_STATES.filter((state) => !arrows.some(({ from }) => from === state));
  return diagram({ initial: SHIPMENT_STATES[0], arrows, ends });
}

/** The whole page. */
export function lifecyclePage(): string {
  return `# The life of an order

\`npm run docs:diagrams\` generates this page from the machines in the code. Do not edit it: a test compares it.

An order is a statechart with three parallel regions ([order.machine.ts](../../machines/order/order.machine.ts), version
${ORDER_MACHINE_VERSION}). Each diagram below shows one region. The labels of the arrows are events; one event may move
several regions. A note marks a state that owes work to a peer service; recovery finds the rows in these states.

## \`order\`: the visible status

${regionDiagram('order')}

## \`stock\`: what inventory has done

${regionDiagram('stock', owedIn('stock', 'inventory'))}

## \`shipment\`: what tracking has done

${regionDiagram('shipment', owedIn('shipment', 'tracking'))}

## Every state an order can be in

${stateTable()}

An order that owes no work is at rest. \`PARCEL_DELIVERED\`, a carrier's report, is not an event of the chart:
[order.decide.ts](../../machines/order/order.decide.ts) turns it into \`DELIVER\`, preceded by \`SHIP\` if the order was not
shipped yet.

## The shipment in tracking

A parcel has its own statechart ([shipment.machine.ts](../../machines/shipment/shipment.machine.ts), version
${SHIPMENT_MACHINE_VERSION}). A status in the carrier's own words (\`IN_TRANSIT\`, \`DELAYED\` …) is stored as the visible
status and handled as \`REPORT\`.

${shipmentDiagram()}
`;
}
