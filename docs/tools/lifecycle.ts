/** Draws docs/understand/order-lifecycle.md from the machines that run, by asking them about every state they can reach. */
import { type ChartState, INITIAL_STATE, type OrderState, stepOf } from '../../machines/order/order.chart.ts';
import { ORDER_MACHINE_VERSION } from '../../machines/order/order.machine.ts';
import { ORDER_EVENTS } from '../../machines/order/order.words.ts';
import {
  SHIPMENT_EVENTS,
  SHIPMENT_MACHINE_VERSION,
  SHIPMENT_STATES,
  shipmentStep,
} from '../../machines/shipment/shipment.machine.ts';

/** Where the drawing belongs, from the project's folder. */
export const LIFECYCLE_FILE = 'docs/understand/order-lifecycle.md';

interface Arrow {
  from: string;
  to: string;
  event: string;
}

/** Every state an order can be in, found by giving each state every event it allows. */
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

/** A Mermaid state diagram: one arrow a pair of states, with all events that take it. */
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

/** What the states of a region owe: what every reachable order in that state owes to that region's peer. */
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

This page is generated from the running machines by \`npm run docs:diagrams\`. Do not edit it: a test compares it.

An order is a statechart of three regions that run side by side ([order.machine.ts](../../machines/order/order.machine.ts),
version ${ORDER_MACHINE_VERSION}). Each diagram below shows one region. The names on the arrows are events; one event may move several
regions at once. A state with a note is work that is owed to a peer service: somebody has to do it, and a row that says
so is found by recovery.

## \`order\`: the status people see

${regionDiagram('order')}

## \`stock\`: what inventory has done for it

${regionDiagram('stock', owedIn('stock', 'inventory'))}

## \`shipment\`: what tracking has done for it

${regionDiagram('shipment', owedIn('shipment', 'tracking'))}

## Every state an order can be in

${stateTable()}

An order that owes nothing is at rest. \`PARCEL_DELIVERED\`, the news of a carrier, is no event of the chart:
[order.decide.ts](../../machines/order/order.decide.ts) turns it into \`DELIVER\`, preceded by \`SHIP\` where nobody has shipped the order yet.

## The shipment at tracking

The parcel has a statechart of its own ([shipment.machine.ts](../../machines/shipment/shipment.machine.ts), version ${SHIPMENT_MACHINE_VERSION}). What a
carrier reports in words of its own (\`IN_TRANSIT\`, \`DELAYED\` …) is kept as the status people see, and is \`REPORT\` here.

${shipmentDiagram()}
`;
}
