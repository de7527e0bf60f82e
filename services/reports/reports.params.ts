/** The fastest-validator schemas of the reports actions. */
import { countNumber } from '../../mixins/params/params.ts';

/** The maximum number of entries, chosen to fit into one message between nodes. */
export const MAX_DISAGREEMENTS = 1_000;

export const reconciliationParams = { $$strict: true, limit: { ...countNumber(MAX_DISAGREEMENTS), optional: true } };
