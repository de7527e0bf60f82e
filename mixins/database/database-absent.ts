/** The refusal of a start whose database cannot be used. */
import { parseAddress, placeOf } from './address.ts';
import { isReadOnly, meaningOfOutage } from './sql-failure.ts';

/** The database of some services cannot be used. Its message is one line for the operator, without the password. */
export class DatabaseAbsent extends Error {
  constructor(services: readonly string[], url: string, cause: unknown) {
    const database = `the database of ${services.join(', ')} (${placeOf(parseAddress(url))})`;
    super(
      isReadOnly(cause)
        ? `${database} is read-only: start again when it takes writes, or name the server that does`
        : `${database} cannot be reached: ${meaningOfOutage(cause)}`,
      { cause },
    );
  }
}
