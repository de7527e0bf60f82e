/** A stranger answers in place of a slow node: no caller accepts it. */
import { beforeAll, expect, test } from '@jest/globals';
import {
  type ClosedMesh,
  type ClosedNode,
  createProduct,
  placeAs,
  startClosedMesh,
  statusOf,
} from '../support/closed-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { type SeenPacket, Wire } from '../support/wire.ts';

let mesh: ClosedMesh;
let wire: Wire;
let productId: number;

beforeAll(async () => {
  mesh = await startClosedMesh();
  wire = await Wire.tap(mesh.nats);
  productId = await createProduct(mesh, 'FORGED', 50);
}, 120_000);

/** The log of a node: warnings go to another output than the rest. */
const logOf = (nodeID: ClosedNode): string => mesh.nodes[nodeID].lines.join('\n');

test('an answer from a stranger that arrives before that of a slow node is refused', async () => {
  process.kill(mesh.nodes.stock.pid, 'SIGSTOP');
  const before = wire.seen.length;
  const placing = placeAs(mesh, 2, productId);
  try {
    const reserve = await eventually(() => {
      const found = wire.seen.slice(before).find(({ payload }) => payload.action === 'inventory.reserve');
      expect(found?.payload.params).toMatchObject({ items: [{ productId, quantity: 1 }] });
      return found as SeenPacket;
    });
    const data = { success: true, message: 'reserved', unavailableProducts: [], items: [{ productId, price: 0.01 }] };
    const answer = { ver: '5', sender: 'stock', id: reserve.payload.id, success: true, data, meta: {}, headers: {} };
    wire.send(`RES.${reserve.payload.sender}`, answer);
    const placed = await placing;
    expect([placed.status, placed.body.status]).toEqual([503, 'PENDING_CHECK']);
    await eventually(() =>
      expect(logOf(reserve.payload.sender as ClosedNode)).toContain('Refused a packet from NATS (RES)'),
    );
  } finally {
    process.kill(mesh.nodes.stock.pid, 'SIGCONT');
  }
  const { orderId } = (await placing).body;
  await eventually(async () => expect(await statusOf(mesh, orderId)).toBe('CONFIRMED'), { withinMs: 30_000 });
}, 60_000);
