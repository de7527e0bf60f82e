/** Loaded before the program: removes the access rules of two inventory actions. */
import type { ServiceSchema } from 'moleculer';
import inventory from '../../services/inventory/inventory.service.ts';

const { actions = {} }: ServiceSchema = inventory;
for (const name of ['create', 'get']) Reflect.deleteProperty(actions[name] as object, 'access');
