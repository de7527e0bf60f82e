/**
 * The life of an order as a statechart: its status, the work still owed for it, and the events allowed next.
 *
 * Three regions run in parallel. `order` is the public status. `stock` and `shipment` track the effects at the two peer
 * services; a state with `meta.owes` there is work still to be done. The machine has no context and no clock: an order's
 * data and due times are in its row.
 */
import { raise, setup } from 'xstate';
import type { EventType } from '../shared/domain-event.ts';
import type { Effect, OrderEventType, Peer } from './order.words.ts';

/** Incremented by every change to the chart that gives an older snapshot a different meaning. */
export const ORDER_MACHINE_VERSION = 1;

/** The work that a state of the `stock` or `shipment` region owes, and to whom. */
export interface OwedMeta {
  owes: Effect;
  from: Peer;
}

/** The event types that a step of an order publishes. */
export type Announcement = Exclude<Extract<EventType, `order.${string}`>, 'order.attentionRequired'>;

const owes = (effect: Effect, from: Peer): { meta: OwedMeta } => ({ meta: { owes: effect, from } });
const tell = (topic: Announcement) => ({ type: 'announce' as const, params: { topic } });

export const orderMachine = setup({
  types: {
    events: {} as { type: OrderEventType | 'UNDO' },
    meta: {} as OwedMeta,
  },
  actions: {
    /** Names an event that is written to the outbox in the commit of this step. */
    announce: (_args, _params: { topic: Announcement }) => undefined,
  },
}).createMachine({
  id: 'order',
  type: 'parallel',
  states: {
    order: {
      initial: 'PENDING_CHECK',
      states: {
        // Only this region decides whether a command is allowed; UNDO makes the other two compensate at the peers.
        PENDING_CHECK: {
          on: {
            SECURED: { target: 'CONFIRMED', actions: [tell('order.confirmed'), tell('order.shipmentCreated')] },
            RESERVED: { target: 'CONFIRMED', actions: tell('order.confirmed') },
            REFUSED: { target: 'CANCELLED', actions: tell('order.cancelled') },
            CANCEL: { target: 'CANCELLED', actions: [raise({ type: 'UNDO' }), tell('order.cancelled')] },
            EXPIRE: { target: 'CANCELLED', actions: [raise({ type: 'UNDO' }), tell('order.cancelled')] },
          },
        },
        CONFIRMED: {
          on: {
            SHIP: { target: 'SHIPPED', actions: tell('order.shipped') },
            CANCEL: { target: 'CANCELLED', actions: [raise({ type: 'UNDO' }), tell('order.cancelled')] },
          },
        },
        SHIPPED: {
          on: { DELIVER: { target: 'DELIVERED', actions: tell('order.delivered') } },
        },
        DELIVERED: {},
        CANCELLED: {},
      },
    },
    stock: {
      initial: 'reserving',
      states: {
        // `secure` covers both steps to CONFIRMED: reserve, then createShipment. Both are idempotent; a cancel undoes both.
        reserving: {
          ...owes('secure', 'inventory'),
          on: {
            SECURED: 'reserved',
            RESERVED: 'reserved',
            REFUSED: 'refused',
            UNDO: 'releasing',
          },
        },
        reserved: { on: { SHIP: 'consuming', UNDO: 'releasing' } },
        consuming: { ...owes('consume', 'inventory'), on: { STOCK_CONSUMED: 'consumed' } },
        releasing: { ...owes('release', 'inventory'), on: { STOCK_RELEASED: 'released' } },
        refused: {},
        consumed: {},
        released: {},
      },
    },
    shipment: {
      initial: 'awaited',
      states: {
        awaited: {
          on: {
            SECURED: 'created',
            RESERVED: 'creating',
            REFUSED: 'none',
            // A createShipment may be in flight: a void that arrives before it leaves a tombstone.
            UNDO: 'voiding',
          },
        },
        creating: {
          ...owes('createShipment', 'tracking'),
          on: {
            SHIPMENT_CREATED: { target: 'created', actions: tell('order.shipmentCreated') },
            UNDO: 'voiding',
          },
        },
        created: { on: { UNDO: 'voiding' } },
        voiding: { ...owes('void', 'tracking'), on: { SHIPMENT_VOIDED: 'voided' } },
        voided: {},
        none: {},
      },
    },
  },
});
