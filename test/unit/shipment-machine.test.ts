/** A shipment moves only as its chart allows, and arrives on a business day. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { getShortestPaths } from 'xstate/graph';
import {
  businessDaysOf,
  CARRIER_BUSINESS_DAYS,
  DEFAULT_BUSINESS_DAYS,
  estimateDelivery,
} from '../../machines/shipment/delivery-estimate.ts';
import { InternalError } from '../../machines/shared/failure.ts';
import {
  eventOfStatus,
  isShipmentRepeat,
  SHIPMENT_EVENTS,
  SHIPMENT_MACHINE_VERSION,
  SHIPMENT_STATES,
  type ShipmentEventType,
  type ShipmentState,
  shipmentAllows,
  shipmentMachine,
  shipmentStateOf,
  shipmentStep,
} from '../../machines/shipment/shipment.machine.ts';

const TABLE: Record<ShipmentState, Partial<Record<ShipmentEventType, ShipmentState>>> = {
  CREATED: { SHIP: 'UNDERWAY', REPORT: 'UNDERWAY', DELIVER: 'DELIVERED', VOID: 'VOIDED' },
  UNDERWAY: { REPORT: 'UNDERWAY', DELIVER: 'DELIVERED', VOID: 'VOIDED' },
  DELIVERED: {},
  VOIDED: {},
};

for (const state of SHIPMENT_STATES) {
  for (const event of SHIPMENT_EVENTS) {
    const to = TABLE[state][event];
    test(to ? `${event} leads from ${state} to ${to}` : `${event} is refused in ${state}`, () => {
      expect(shipmentStep(state, event)).toBe(to);
      expect(shipmentAllows(state).includes(event)).toBe(to !== undefined);
    });
  }
}

test('every state of the chart is reached from CREATED, and there is no other', () => {
  const paths = getShortestPaths(shipmentMachine, { events: SHIPMENT_EVENTS.map((type) => ({ type })) });
  expect(new Set(paths.map((path) => path.state.value))).toEqual(new Set(SHIPMENT_STATES));
  expect(Object.keys(shipmentMachine.states)).toEqual([...SHIPMENT_STATES]);
});

test('whatever is tried, a delivered or voided shipment stays what it is', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...SHIPMENT_EVENTS)), (events) => {
      let state: ShipmentState = 'CREATED';
      let ended: ShipmentState | undefined;
      for (const event of events) {
        state = shipmentStep(state, event) ?? state;
        if (ended) expect(state).toBe(ended);
        if (state === 'DELIVERED' || state === 'VOIDED') ended = state;
      }
    }),
  );
});

test('only a second delivery and a second voiding are repeats', () => {
  const repeats = SHIPMENT_STATES.flatMap((state) =>
    SHIPMENT_EVENTS.filter((event) => isShipmentRepeat(state, event)).map((event) => `${state} ${event}`),
  );
  expect(repeats).toEqual(['DELIVERED DELIVER', 'VOIDED VOID']);
});

test("a carrier's own words all mean a parcel that is underway", () => {
  for (const status of ['IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELAYED', 'EXCEPTION', 'SHIPPED']) {
    expect(eventOfStatus(status)).toBe('REPORT');
    expect(shipmentStateOf(status, SHIPMENT_MACHINE_VERSION)).toBe('UNDERWAY');
  }
  expect(eventOfStatus('DELIVERED')).toBe('DELIVER');
});

test('a shipment written by another version of the chart is not interpreted', () => {
  expect(() => shipmentStateOf('CREATED', SHIPMENT_MACHINE_VERSION + 1)).toThrow(InternalError);
});

test('an estimate counts business days: Friday and two days is Tuesday', () => {
  const friday = Date.parse('2026-11-20T15:04:05.678Z');
  expect(new Date(estimateDelivery('DHL', friday)).toISOString()).toBe('2026-11-24T18:00:00.000Z');
});

test('a carrier is recognized in any spelling of its name, and an unknown one gets the default', () => {
  expect(businessDaysOf('fed-ex')).toBe(CARRIER_BUSINESS_DAYS.FEDEX);
  expect(businessDaysOf('Royal Mail')).toBe(CARRIER_BUSINESS_DAYS.ROYALMAIL);
  for (const name of ['Pigeon Post', 'constructor', '包裹']) expect(businessDaysOf(name)).toBe(DEFAULT_BUSINESS_DAYS);
});

test('an estimate lies on a weekday, as many business days ahead as the carrier needs', () => {
  const DAY_MS = 86_400_000;
  const carriers = fc.constantFrom(...Object.keys(CARRIER_BUSINESS_DAYS), 'Pigeon Post');
  const times = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2095-01-01') });
  fc.assert(
    fc.property(carriers, times, (carrier, madeAtMs) => {
      const due = estimateDelivery(carrier, madeAtMs);
      let business = 0;
      for (let day = madeAtMs - (madeAtMs % DAY_MS) + DAY_MS; day <= due; day += DAY_MS) {
        if (![0, 6].includes(new Date(day).getUTCDay())) business++;
      }
      expect(business).toBe(businessDaysOf(carrier));
      expect([0, 6]).not.toContain(new Date(due).getUTCDay());
    }),
  );
});
