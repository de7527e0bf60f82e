/**
 * The life of an order as a statechart: what an order is, what is still owed for it, and what may happen next.
 *
 * Three regions run side by side. `order` is the status people see. `stock` and `shipment` say how far the effects at
 * the two peer services have come; a state there that carries `meta.owes` is work that somebody still has to do. The
 * machine has no context and no clock: what an order knows is in its row, when things are due is in its row too.
 */
import { raise, setup } from 'xstate';
import type { EventType } from '../shared/domain-event.ts';
import type { Effect, OrderEventType, Peer } from './order.words.ts';

/** Grows with every change of the chart that makes an older snapshot mean something else. */
export const ORDER_MACHINE_VERSION = 1;

/** What a state of the `stock` and `shipment` regions says about work. */
export interface OwedMeta {
  owes: Effect;
  from: Peer;
}

/** The events that a step of an order tells the world. */
export type Announcement = Exclude<Extract<EventType, `order.${string}`>, 'order.attentionRequired'>;

const owes = (effect: Effect, from: Peer): { meta: OwedMeta } => ({ meta: { owes: effect, from } });
const tell = (topic: Announcement) => ({ type: 'announce' as const, params: { topic } });

export const orderMachine = setup({
  types: {
    events: {} as { type: OrderEventType | 'UNDO' },
    meta: {} as OwedMeta,
  },
  actions: {
    /** Data for the outbox: the name of the event that goes out in the commit of this step. */
    announce: (_args, _params: { topic: Announcement }) => undefined,
  },
}).createMachine({
  id: 'order',
  type: 'parallel',
  states: {
    order: {
      initial: 'PENDING_CHECK',
      states: {
        // Only this region decides whether a command is allowed; what it undoes at the peers follows from UNDO.
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
        // Owes the whole way to CONFIRMED: reserve, then createShipment. Both are repeatable, and a cancel takes back both.
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
            // A createShipment of the reserving step may be under way: its void leaves a tombstone if it comes first.
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
