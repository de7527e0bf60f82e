/** The reports service: read-only views across several services. It stores nothing. */
import { defineService } from '../../mixins/mesh/schema.ts';
import { reconciliation } from './actions/reconciliation.action.ts';

export default defineService({
  name: 'reports',
  calls: ['orders', 'inventory', 'tracking'],
  actions: { reconciliation },
});
