/** What a statement demands of the rows it has met: all of them, or nothing is written. */
import type { Migration } from '../../../mixins/database/migrations.ts';

/** Fails as a serialization failure: whoever demanded reads again, and decides again. */
export const demand: Migration = {
  name: '0002-demand',
  sql: `
CREATE FUNCTION inventory.demand(met boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT met THEN RAISE 'a product is not as it was when this was decided' USING ERRCODE = 'serialization_failure'; END IF;
END $$`,
};
