/** All migrations of tracking, in order. */
import { shipments } from './0001-shipments.ts';
import { customer } from './0002-customer.ts';
import { eventTypes } from './0003-event-types.ts';
import { references } from './0004-references.ts';
import { referencesValid } from './0005-references-valid.ts';

export const migrations = [shipments, customer, eventTypes, references, referencesValid];
