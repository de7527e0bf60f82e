/** What `reports.*` takes and answers, for peers to import. */
export type { Disagreement, DisagreementKind } from '../../machines/reconciliation/reconciliation.ts';

export interface ReconciliationParams {
  /** How many disagreements to answer at most. */
  limit?: number;
}
