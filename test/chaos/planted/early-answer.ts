/** Plants a fault: an order is answered, and its effects begin, before its row is committed. */
import { OrderStore } from '../../../services/orders/store/order.store.ts';

const insert = Object.getOwnPropertyDescriptor(OrderStore.prototype, 'insert')?.value as OrderStore['insert'];
// Read now: the program takes it out of the environment before it starts.
const node = process.env.NODEID ?? '';

OrderStore.prototype.insert = function insertLater(placement) {
  void insert.call(this, placement).catch(() => undefined);
  const { order } = placement.decision;
  return Promise.resolve({
    id: order.id,
    state: order,
    version: 1,
    work: { owner: node, attempt: 0, lastError: null },
  });
};
