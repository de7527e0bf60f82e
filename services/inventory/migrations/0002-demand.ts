/** A function that makes a statement fail unless it has changed all the rows it should. */
import type { Migration } from '../../../mixins/database/migrations.ts';

/** It raises a serialization failure, so that the caller reads and decides again. */
export const demand: Migration = {
  name: '0002-demand',
  sql: `
CREATE FUNCTION inventory.demand(met boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT met THEN RAISE 'a product is not as it was when this was decided' USING ERRCODE = 'serialization_failure'; END IF;
END $$`,
};
