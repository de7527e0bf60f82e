/** What the validator of action parameters reports, as a failure that callers can read. */
import { type FieldFault, ValidationFailed } from '../../machines/shared/failure.ts';

/** A fault as fastest-validator reports it. */
interface ValidatorFault {
  type?: string;
  field?: string;
  message?: string;
  actual?: unknown;
}

/** Whether an error is the validator's, made here or on another node. */
export const isValidationError = (error: unknown): error is { data?: unknown } =>
  (error as { type?: unknown } | null | undefined)?.type === 'VALIDATION_ERROR';

/** The same as a failure of ours: every fault with its field, every unknown field by itself. */
export function validationFailure({ data }: { data?: unknown }): ValidationFailed {
  const faults = Array.isArray(data) ? (data as ValidatorFault[]) : [];
  return ValidationFailed.of(faults.flatMap(splitFault));
}

/** Names of one entry that are looked at. A body has no more fields; the name of one can read like a list of many more. */
const NAMES_READ = 10_000;

/** The validator reports all unknown fields of an object in one entry: answer one entry for each. */
function splitFault({ type = 'invalid', field = '', message = '', actual }: ValidatorFault): FieldFault[] {
  if (type !== 'objectStrict') return [{ field, type, message }];
  return String(actual)
    .split(', ', NAMES_READ)
    .map((name) => unknownField(field ? `${field}.${name}` : name));
}

/** Characters of a caller's field name that are said back to it. */
const SHOWN_NAME = 100;

/** The fault of a field that an endpoint does not know. */
export function unknownField(name: string): FieldFault {
  const field = name.length > SHOWN_NAME ? `${name.slice(0, SHOWN_NAME)}…` : name;
  return { field, type: 'unknown', message: `There is no field '${field}' here` };
}
