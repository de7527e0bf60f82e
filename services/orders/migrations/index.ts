/** All migrations of orders, in order. */
import { orders } from './0001-orders.ts';
import { parked } from './0002-parked.ts';
import { eventTypes } from './0003-event-types.ts';
import { customerLists } from './0004-customer-lists.ts';
import { references } from './0005-references.ts';
import { referencesValid } from './0006-references-valid.ts';
import { actors } from './0007-actors.ts';
import { feed } from './0008-feed.ts';

export const migrations = [orders, parked, eventTypes, customerLists, references, referencesValid, actors, feed];
