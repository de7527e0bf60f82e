/** The actor host on ports in memory: persist, then answer and act; one at a time. */
import { expect, test } from '@jest/globals';
import { ServiceUnavailable } from '../../machines/shared/failure.ts';
import { PreconditionFailed } from '../../machines/order/order.failures.ts';
import { ID, type Lamp, LampWorld, NotNow } from '../support/lamp.ts';
import { latch, settled } from '../support/latch.ts';

const onlyWhileLighting = (state: Lamp): void => {
  if (state !== 'lighting') throw new PreconditionFailed('changed');
};

test('nothing is answered and nothing is done before the commit', async () => {
  const world = new LampWorld();
  const commit = latch();
  world.onSave = () => commit.opened;
  let answered = false;
  const told = world.tell('SHINE').then((memory) => {
    answered = true;
    return memory;
  });
  await settled();
  expect(world.log).toEqual(['load', 'save lighting lease']);
  expect(answered).toBe(false);
  commit.open();
  expect((await told)?.state).toBe('lighting');
  await world.host.drained();
  expect(world.log).toEqual(['load', 'save lighting lease', 'saved lighting', 'light', 'save lit rest', 'saved lit']);
});

test('when the commit fails nothing is done, and the next command starts from the row', async () => {
  const world = new LampWorld();
  world.onSave = () => Promise.reject(new ServiceUnavailable('away'));
  await expect(world.tell('SHINE')).rejects.toBeInstanceOf(ServiceUnavailable);
  await world.host.drained();
  expect(world.log).not.toContain('light');
  world.onSave = () => Promise.resolve();
  await world.tell('SHINE');
  await world.host.drained();
  expect(world.row.state).toBe('lit');
});

test('a command is answered at its commit and does not wait for what it leaves owed', async () => {
  const world = new LampWorld('lit');
  const peer = latch();
  world.onPerform = () => peer.opened.then(() => ({ event: 'DIMMED' }));
  expect((await world.tell('PUT_OUT'))?.state).toBe('dimming');
  expect(world.host.has(ID)).toBe(true);
  peer.open();
  await world.host.drained();
  expect(world.row).toMatchObject({ state: 'out', work: { owner: null } });
  expect(world.host.size).toBe(0);
});

test('a row that another node has changed is read again and decided again', async () => {
  const world = new LampWorld('lighting');
  let first = true;
  world.onSave = () => {
    if (first) world.put('lit');
    first = false;
    return Promise.resolve();
  };
  expect((await world.tell('PUT_OUT'))?.state).toBe('dimming');
  expect(world.log.slice(0, 5)).toEqual(['load', 'save dimming lease', 'conflict', 'load', 'save dimming lease']);
  expect(world.changes[1]?.memory).toMatchObject({ state: 'lit', version: 2 });
});

test('a command that the changed state no longer allows is refused after reading it, not before', async () => {
  const world = new LampWorld('lit');
  world.onSave = () => {
    world.put('out');
    return Promise.resolve();
  };
  await expect(world.tell('PUT_OUT')).rejects.toBeInstanceOf(NotNow);
  expect(world.row.state).toBe('out');
  expect(world.log).not.toContain('dim');
});

test('a row that others always change first ends in Overloaded, not in a loop', async () => {
  const world = new LampWorld();
  world.onSave = () => {
    world.put('dark');
    return Promise.resolve();
  };
  await expect(world.tell('SHINE')).rejects.toMatchObject({
    name: 'Overloaded',
    message: expect.stringContaining('lamp 7'),
  });
  expect(world.log).not.toContain('light');
});

test('a refusal based on cached state is checked against the row first', async () => {
  const world = new LampWorld();
  const peer = latch();
  world.onPerform = () => peer.opened.then(() => ({ event: 'LIT' }));
  await world.tell('SHINE');
  // Another node has put it out and all is done: what this node remembers does not allow DIMMED, the row's state does.
  world.put('dimming');
  expect((await world.tell('DIMMED'))?.state).toBe('out');
  peer.open();
  await world.host.drained();
});

test('work that another node owns is left alone', async () => {
  const world = new LampWorld('lighting');
  await world.host.resume(world.put('lighting', { owner: 'there' }));
  expect(world.log).not.toContain('light');
});

test('commands for one actor are decided one after the other, in the order they came', async () => {
  const world = new LampWorld();
  const all = await Promise.allSettled([world.tell('SHINE'), world.tell('PUT_OUT'), world.tell('SHINE')]);
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  await world.host.drained();
  expect(world.row.state).toBe('out');
});

test('a repeated command that finds its work done is answered without a write', async () => {
  const world = new LampWorld('lit');
  expect((await world.tell('SHINE'))?.version).toBe(1);
  expect(world.changes).toEqual([]);
});

test('an actor that does not exist is undefined, not an error', async () => {
  expect(await new LampWorld().host.tell(ID + 1, { event: 'SHINE' })).toBeUndefined();
});

test('a guard sees the state that is decided on, and its refusal leaves no trace', async () => {
  const world = new LampWorld('lit');
  await expect(world.tell('PUT_OUT', onlyWhileLighting)).rejects.toBeInstanceOf(PreconditionFailed);
  expect(world.changes).toEqual([]);
  expect(world.row.state).toBe('lit');
});

test('a mailbox that is full refuses at once, and what was in it is still done', async () => {
  const world = new LampWorld('lit', { maxMailbox: 2 });
  const commit = latch();
  world.onSave = () => commit.opened;
  const inside = [world.tell('PUT_OUT'), world.tell('PUT_OUT').catch(() => undefined)];
  await expect(world.tell('PUT_OUT')).rejects.toMatchObject({
    name: 'Overloaded',
    message: expect.stringContaining('lamp 7'),
  });
  commit.open();
  await Promise.all(inside);
  await world.host.drained();
  expect(world.row.state).toBe('out');
});

test('drained resolves at once when nothing is in progress, otherwise when the last is done', async () => {
  const world = new LampWorld();
  await world.host.drained();
  const peer = latch();
  world.onPerform = () => peer.opened.then(() => ({ event: 'LIT' }));
  await world.tell('SHINE');
  let drained = false;
  const done = world.host.drained().then(() => {
    drained = true;
  });
  await settled();
  expect(drained).toBe(false);
  peer.open();
  await done;
  expect(world.row.state).toBe('lit');
});
