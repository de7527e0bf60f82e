/** The parameters and results of the reports actions, for peers to import. */
export type { Disagreement, DisagreementKind } from '../../machines/reconciliation/reconciliation.ts';

export interface ReconciliationParams {
  /** The maximum number of disagreements to return. */
  limit?: number;
}
