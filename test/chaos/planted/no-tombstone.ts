/** Plants a fault: a release before its reserve leaves no tombstone, so the late reserve holds stock without an order. */
import { WRITE_ADMISSION } from '../../../services/inventory/store/stock-book.sql.ts';
import { plant } from '../plant.ts';

WRITE_ADMISSION.text = plant(
  WRITE_ADMISSION.text,
  'AS r(order_id, status, product_ids, quantities, prices, unavailable)',
  "AS r(order_id, status, product_ids, quantities, prices, unavailable) WHERE status <> 'RELEASED'",
);
