/** Reports: what can be said only by looking at several services together. It keeps nothing and changes nothing. */
import { defineService } from '../../mixins/mesh/schema.ts';
import { reconciliation } from './actions/reconciliation.action.ts';

export default defineService({
  name: 'reports',
  calls: ['orders', 'inventory', 'tracking'],
  actions: { reconciliation },
});
