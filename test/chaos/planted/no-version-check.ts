/** Plants a fault: a change of an order is written whatever version its row has, so a zombie is not fenced. */
import pg from 'pg';
import { plant } from '../plant.ts';

// pg has an overload for every way to ask, which no wrapper can be typed as.
const prototype = pg.Client.prototype as unknown as { query: (this: unknown, ...args: unknown[]) => unknown };
const { query } = prototype;

prototype.query = function unfenced(...args: unknown[]): unknown {
  const config = args[0] as { name?: string; text: string };
  if (/^orders\.save\b/.test(config?.name ?? ''))
    args[0] = { ...config, text: plant(config.text, ' AND o."version" = i.version', '') };
  return query.apply(this, args);
};
