/** What happens to shipments is decided batch by batch: once each, in order, as the chart and the timeline allow. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IllegalTransition, InternalError } from '../../machines/shared/failure.ts';
import { decideChanges, decideShipment, MAX_TIMELINE } from '../../machines/shipment/shipment.decide.ts';
import {
  SHIPMENT_EVENTS,
  SHIPMENT_MACHINE_VERSION,
  type ShipmentEventType,
} from '../../machines/shipment/shipment.machine.ts';
import type { Parcel, Shipment, ShipmentChange } from '../../machines/shipment/shipment.ts';

const AT = '2026-11-22T10:00:00.000Z';
const parcelOf = (orderId: number): Parcel => ({
  uuid: `uuid-${orderId}`,
  carrier: 'DHL',
  estimatedDelivery: '2026-11-24T18:00:00.000Z',
});

const shipment = (orderId: number, changes: Partial<Shipment> = {}): Shipment => ({
  orderId,
  parcel: parcelOf(orderId),
  status: 'CREATED',
  machineVersion: SHIPMENT_MACHINE_VERSION,
  seq: 1,
  ...changes,
});
const tombstone = (orderId: number) => shipment(orderId, { parcel: null, status: 'VOIDED', seq: 0 });

let changes = 0;
const WORDS: Record<ShipmentEventType, string> = {
  SHIP: 'SHIPPED',
  REPORT: 'IN_TRANSIT',
  DELIVER: 'DELIVERED',
  VOID: 'VOIDED',
};
const change = (orderId: number, event: ShipmentEventType, given: Partial<ShipmentChange> = {}): ShipmentChange => ({
  orderId,
  event,
  status: WORDS[event],
  location: null,
  id: `change-${++changes}`,
  ...given,
});

const bookOf = (shipments: readonly Shipment[], recorded: readonly string[] = []) => ({
  shipments: new Map(shipments.map((each) => [each.orderId, each])),
  recorded: new Set(recorded),
});

const outcomeOf = (of: Shipment, event: ShipmentEventType) => decideShipment(of, { event, status: WORDS[event] });
const kinds = (outcomes: readonly { kind: string }[]) => outcomes.map(({ kind }) => kind);

test('the changes of one shipment follow each other within a batch', () => {
  const batch = [change(1, 'SHIP'), change(1, 'REPORT', { location: 'Leipzig' }), change(1, 'DELIVER')];
  const { outcomes, additions, moved, events } = decideChanges(bookOf([shipment(1)]), batch, AT);
  expect(kinds(outcomes)).toEqual(['recorded', 'recorded', 'recorded']);
  expect(additions).toEqual([
    { change: batch[0], seq: 2 },
    { change: batch[1], seq: 3 },
    { change: batch[2], seq: 4 },
  ]);
  expect(moved).toEqual([shipment(1, { status: 'DELIVERED', seq: 4 })]);
  expect(events.map(({ id, data }) => [id, data.status, data.location])).toEqual([
    ['shipment-1-2', 'SHIPPED', null],
    ['shipment-1-3', 'IN_TRANSIT', 'Leipzig'],
    ['shipment-1-4', 'DELIVERED', null],
  ]);
});

test('a repeated delivery or void is answered, but neither written nor published again', () => {
  const book = bookOf([shipment(1), shipment(2), tombstone(3)]);
  const batch = [change(1, 'DELIVER'), change(1, 'DELIVER'), change(2, 'VOID'), change(2, 'VOID'), change(3, 'VOID')];
  const { outcomes, additions, events } = decideChanges(book, batch, AT);
  expect(kinds(outcomes)).toEqual(['recorded', 'repeated', 'recorded', 'repeated', 'repeated']);
  expect(additions.map((addition) => addition.change)).toEqual([batch[0], batch[2]]);
  expect(events).toHaveLength(2);
});

test('a shipment that does not exist, or has another number, is absent', () => {
  const book = bookOf([shipment(1), tombstone(2)]);
  const batch = [
    change(9, 'REPORT'),
    change(1, 'REPORT', { uuid: 'another' }),
    change(2, 'REPORT', { uuid: 'uuid-2' }),
    change(1, 'REPORT', { uuid: 'uuid-1' }),
  ];
  const { outcomes } = decideChanges(book, batch, AT);
  expect(kinds(outcomes)).toEqual(['absent', 'absent', 'absent', 'recorded']);
});

test('what an earlier attempt of the batch has recorded is not recorded again', () => {
  const batch = [change(1, 'REPORT'), change(1, 'REPORT')];
  const first = decideChanges(bookOf([shipment(1)]), batch, AT);
  const again = decideChanges(bookOf(first.moved, [(batch[0] as ShipmentChange).id]), batch, AT);
  expect(kinds(again.outcomes)).toEqual(['recorded', 'recorded']);
  expect(again.additions).toEqual([{ change: batch[1], seq: 4 }]);
});

test('a refusal names the state and what is allowed', () => {
  const delivered = outcomeOf(shipment(7, { status: 'DELIVERED', seq: 2 }), 'REPORT');
  expect(delivered).toEqual({ kind: 'refused', error: expect.any(IllegalTransition) });
  expect(delivered).toMatchObject({
    error: {
      message: 'Cannot record IN_TRANSIT: the shipment of order 7 is DELIVERED',
      data: { orderId: 7, status: 'DELIVERED', allowedEvents: [] },
    },
  });
  expect(outcomeOf(tombstone(7), 'REPORT')).toMatchObject({ kind: 'refused', error: { data: { status: 'VOIDED' } } });
});

test('a full timeline takes deliveries and voids, and nothing else', () => {
  const full = (event: ShipmentEventType) => outcomeOf(shipment(7, { status: 'SCANNED', seq: MAX_TIMELINE }), event);
  expect(full('DELIVER')).toEqual({ kind: 'recorded' });
  expect(full('VOID')).toEqual({ kind: 'recorded' });
  expect(full('REPORT')).toMatchObject({
    kind: 'refused',
    error: {
      message: `The timeline of order 7's shipment is full (${MAX_TIMELINE} events)`,
      data: { allowedEvents: ['DELIVER', 'VOID'] },
    },
  });
  const last = shipment(7, { status: 'SCANNED', seq: MAX_TIMELINE - 1 });
  expect(decideShipment(last, { event: 'REPORT', status: 'SCANNED' })).toEqual({ kind: 'recorded' });
});

test('a shipment written by another version of the machine is left undecided', () => {
  const later = shipment(7, { machineVersion: SHIPMENT_MACHINE_VERSION + 1 });
  expect(() => decideShipment(later, { event: 'REPORT', status: 'SCANNED' })).toThrow(InternalError);
});

test('a batch has the same result as its changes one by one, and does not modify its input', () => {
  const events = fc.record({ orderId: fc.integer({ min: 1, max: 4 }), event: fc.constantFrom(...SHIPMENT_EVENTS) });
  fc.assert(
    fc.property(fc.array(events, { maxLength: 30 }), (told) => {
      const batch = told.map(({ orderId, event }) => change(orderId, event));
      const before = [shipment(1), shipment(2, { status: 'SCANNED', seq: MAX_TIMELINE - 1 }), tombstone(3)];
      const book = bookOf(before);
      const together = decideChanges(book, batch, AT);
      expect([...book.shipments.values()]).toEqual(before);

      const alone = new Map(book.shipments);
      const outcomes = batch.map((one) => {
        const decided = decideChanges({ shipments: alone, recorded: new Set() }, [one], AT);
        for (const moved of decided.moved) alone.set(moved.orderId, moved);
        return decided.outcomes[0];
      });
      expect(together.outcomes).toEqual(outcomes);
      const after = new Map([...book.shipments, ...together.moved.map((each) => [each.orderId, each] as const)]);
      expect(after).toEqual(alone);
      expect(together.events.map(({ id }) => id)).toEqual(
        together.additions.map((addition) => `shipment-${addition.change.orderId}-${addition.seq}`),
      );
    }),
  );
});
