/** What the reports accept. */
import { countNumber } from '../../mixins/params/params.ts';

/** So many entries fit into a message between nodes. */
export const MAX_DISAGREEMENTS = 1_000;

export const reconciliationParams = { $$strict: true, limit: { ...countNumber(MAX_DISAGREEMENTS), optional: true } };
