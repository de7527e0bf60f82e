/** All migrations of inventory, in order. */
import { stockBook } from './0001-stock-book.ts';
import { demand } from './0002-demand.ts';
import { eventTypes } from './0003-event-types.ts';
import { stockCounts } from './0004-stock-counts.ts';

export const migrations = [stockBook, demand, eventTypes, stockCounts];
