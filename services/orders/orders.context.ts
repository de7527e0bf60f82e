/** The type of `this` in the actions of orders. */
import type { Service } from 'moleculer';
import type { WithDatabase } from '../../mixins/database/database.mixin.ts';
import type { WithOutbox } from '../../mixins/events/outbox/outbox.mixin.ts';
import type { OrdersNode } from './engine/node.ts';

export interface OrdersOwn extends WithDatabase, WithOutbox, OrdersNode {}

export type OrdersService = Service & OrdersOwn;
