/** The error of a start whose database cannot be used. */
import { parseAddress, placeOf } from './address.ts';
import { isReadOnly, meaningOfOutage } from './sql-failure.ts';

/** The database of some services cannot be used. The message is one line for the operator, without the password. */
export class DatabaseAbsent extends Error {
  constructor(services: readonly string[], url: string, cause: unknown) {
    const database = `the database of ${services.join(', ')} (${placeOf(parseAddress(url))})`;
    super(
      isReadOnly(cause)
        ? `${database} is read-only: start again when it accepts writes, or set the address of a server that does`
        : `${database} cannot be used: ${meaningOfOutage(cause)}`,
      { cause },
    );
  }
}
