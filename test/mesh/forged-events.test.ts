/** A stranger at the stream of events: what he writes there moves no order, and keeps no true event from doing so. */
import { beforeAll, expect, test } from '@jest/globals';
import { connect, headers, type NatsConnection } from 'nats';
import { type ClosedMesh, createProduct, placeAs, startClosedMesh, statusOf } from '../support/closed-mesh.ts';
import { afterTheFile } from '../support/endings.ts';
import { eventually } from '../support/eventually.ts';
import type { OrderBody } from '../support/mesh.ts';
import { STAFF } from '../support/tokens.ts';

const STREAM = 'WAYBILL-WAYBILL';

let mesh: ClosedMesh;
let stranger: NatsConnection;
let productId: number;

beforeAll(async () => {
  mesh = await startClosedMesh();
  stranger = await connect({ servers: mesh.nats.url });
  afterTheFile(() => stranger.close());
  productId = await createProduct(mesh, 'PARCEL', 50);
}, 120_000);

/** An order that has been shipped. */
async function shipped(): Promise<OrderBody> {
  const { body } = await placeAs(mesh, 1, productId);
  expect((await mesh.as(STAFF, 'PUT', `/orders/${body.orderId}/ship`)).status).toBe(204);
  return body;
}

async function deliver({ trackingNumber }: OrderBody): Promise<void> {
  const arrived = { status: 'DELIVERED', location: 'Cork' };
  expect((await mesh.as(STAFF, 'POST', `/tracking/${trackingNumber}/events`, arrived)).status).toBe(201);
}

const delivery = (orderId: number, id: string) => ({
  id,
  type: 'shipment.updated',
  key: `shipment-${orderId}`,
  at: new Date(0).toISOString(),
  data: { orderId, status: 'DELIVERED' },
});

/** Writes a message into the stream; resolves when it is there. */
async function write(message: object | string, seal?: string, msgID?: string): Promise<void> {
  const forged = headers();
  if (seal !== undefined) forged.set('Waybill-Seal', seal);
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  await stranger.jetstream().publish('waybill-waybill.shipment.updated.1', text, {
    headers: forged,
    ...(msgID === undefined ? {} : { msgID }),
  });
}

/** The events of this type that are in the stream and carry a seal. */
async function sealed(type: string): Promise<{ text: string; seal: string; msgID: string }[]> {
  const manager = await stranger.jetstreamManager();
  const { state } = await manager.streams.info(STREAM);
  const found = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage(STREAM, { seq });
    const seal = message.header.get('Waybill-Seal');
    const text = Buffer.from(message.data).toString();
    if (seal !== '' && message.subject.includes(type))
      found.push({ text, seal, msgID: message.header.get('Nats-Msg-Id') });
  }
  return found;
}

/** What the nodes of `orders` complain of. */
function warnings(): string {
  return (['orders-1', 'orders-2'] as const).flatMap((nodeID) => mesh.nodes[nodeID].stderr).join('\n');
}

test('a forged delivery delivers no order, and a genuine one after it does', async () => {
  const [order, other] = [await shipped(), await shipped()];
  await deliver(other);
  await eventually(async () => expect(await statusOf(mesh, other.orderId)).toBe('DELIVERED'));
  const [genuine] = await sealed('shipment.updated');
  const { text, seal } = genuine as { text: string; seal: string };

  const forged = delivery(order.orderId, 'forged');
  await write(forged);
  await write(forged, '');
  await write(forged, seal);
  await write(forged, 'A'.repeat(43));
  await write(text.replace(String(other.orderId), String(order.orderId)), seal);
  await write('not even JSON', seal);
  // Seen before, and so the inbox has it.
  await write(text, seal);
  await eventually(() => expect(warnings()).toContain('lacks a valid seal of this mesh'));
  expect(await statusOf(mesh, order.orderId)).toBe('SHIPPED');

  await deliver(order);
  await eventually(async () => expect(await statusOf(mesh, order.orderId)).toBe('DELIVERED'));
});

test('a stranger cannot use up the id of a future event to make the stream drop it', async () => {
  const order = await shipped();
  // JetStream drops a second message of one id within two minutes, and says it has it.
  for (let seq = 1; seq < 10; seq++) {
    const id = `shipment-${order.orderId}-${seq}`;
    await write(delivery(order.orderId, id), undefined, id);
  }
  await deliver(order);
  await eventually(async () => expect(await statusOf(mesh, order.orderId)).toBe('DELIVERED'));
  const told = (await sealed('shipment.updated')).find(({ text }) => text.includes(`"shipment-${order.orderId}-`));
  expect(told?.msgID).toBe(`${JSON.parse(told?.text ?? '').id}.${told?.seal}`);
});
