/** Converts errors of the parameter validator to ValidationFailed. */
import { type FieldFault, ValidationFailed } from '../../machines/shared/failure.ts';

/** A fault as reported by fastest-validator. */
interface ValidatorFault {
  type?: string;
  field?: string;
  message?: string;
  actual?: unknown;
}

/** Whether the validator threw an error, on this node or another. */
export const isValidationError = (error: unknown): error is { data?: unknown } =>
  (error as { type?: unknown } | null | undefined)?.type === 'VALIDATION_ERROR';

/** The error as ValidationFailed, with one fault per field; each unknown field has its own. */
export function validationFailure({ data }: { data?: unknown }): ValidationFailed {
  const faults = Array.isArray(data) ? (data as ValidatorFault[]) : [];
  return ValidationFailed.of(faults.flatMap(splitFault));
}

/** The maximum number of names read from one entry. No body has more fields, but one field's name can look like a list. */
const NAMES_READ = 10_000;

/** Splits the validator's entry for all unknown fields of an object into one fault per field. */
function splitFault({ type = 'invalid', field = '', message = '', actual }: ValidatorFault): FieldFault[] {
  if (type !== 'objectStrict') return [{ field, type, message }];
  return String(actual)
    .split(', ', NAMES_READ)
    .map((name) => unknownField(field ? `${field}.${name}` : name));
}

/** The maximum number of characters of a caller's field name in a message. */
const SHOWN_NAME = 100;

/** The fault of an unknown field. */
export function unknownField(name: string): FieldFault {
  const field = name.length > SHOWN_NAME ? `${name.slice(0, SHOWN_NAME)}…` : name;
  return { field, type: 'unknown', message: `Unknown field '${field}'` };
}
