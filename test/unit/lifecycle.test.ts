/** What a process holds is given back at its end, however that goes. */
import { expect, test } from '@jest/globals';
import type { Middleware } from 'moleculer';
import { lifecycleMiddleware } from '../../mixins/process/lifecycle.middleware.ts';
import { plainBroker } from '../support/broker.ts';

const fails = (): never => {
  throw new Error('NATS has gone');
};

async function stopWith(other: Middleware): Promise<string[]> {
  const told: string[] = [];
  const lifecycle = lifecycleMiddleware({ release: async () => void told.push('released') });
  const before = process.listeners('unhandledRejection');
  const broker = plainBroker(undefined, { middlewares: [other, lifecycle] });
  broker.createService({ name: 'service', stopped: () => void told.push('stopped') });
  await broker.start();
  await broker.stop();
  for (const listener of process.listeners('unhandledRejection')) {
    if (!before.includes(listener)) process.off('unhandledRejection', listener);
  }
  return told;
}

test('a stop releases what the process holds, after its services have stopped', async () => {
  expect(await stopWith({ name: 'Other' })).toEqual(['stopped', 'released']);
});

test('so does a stop that fails half-way', async () => {
  expect(await stopWith({ name: 'Failing', stopping: fails })).toContain('released');
  expect(await stopWith({ name: 'Failing', stopped: fails })).toEqual(['stopped', 'released']);
});
