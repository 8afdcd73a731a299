import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actorLimits, ActorSystem, ask, kind, tell } from '../../src/actor/index.ts';
import { gate, startSystem } from './support/system.ts';

function loggers(afterDrain = (): void => {}, onPut: (value: number) => void = () => {}) {
  const log: string[] = [];
  const Logger = kind({
    name: 'logger',
    messages: { put: tell<number>(), wait: tell<Promise<void>>() },
    load: () => null,
    on: {
      put(_state, value, ctx) {
        log.push(`${ctx.id}:${value}`);
        onPut(value);
      },
      wait: (_state, promise) => promise,
    },
  });
  const drained = (): void => {
    log.push('drained');
    afterDrain();
  };
  return { Logger, log, ...startSystem([Logger], { afterDrain: drained }) };
}

test('ready actors take turns of bounded length', async () => {
  const { Logger, log, system, clock } = loggers();
  const { turnMessagesMax } = actorLimits;
  for (let n = 0; n < turnMessagesMax * 2; n++) system.tell(Logger, 'flood', 'put', n);
  system.tell(Logger, 'calm', 'put', 0);
  await clock.run();
  assert.equal(log.indexOf('calm:0'), turnMessagesMax);
});

test('a turn of long messages ends early, and so does a drain of them', async () => {
  let handledMs = 0;
  const { Logger, log, system, clock } = loggers(undefined, () => {
    clock.pass(1);
    handledMs++;
  });
  for (let n = 0; n < 64; n++) system.tell(Logger, 'long', 'put', n);
  system.tell(Logger, 'calm', 'put', 0);
  await clock.run();
  assert.ok(log.indexOf('calm:0') <= 5, `after ${log.indexOf('calm:0')} messages`);
  const drains = log.filter((line) => line === 'drained').length;
  assert.ok(handledMs / drains <= 8, `${handledMs} ms in ${drains} drains`);
});

test('afterDrain follows the ready actors, and what it tells runs in the same drain', async () => {
  let again = true;
  const { Logger, log, system, clock } = loggers(() => {
    if (again) system.tell(Logger, 2, 'put', 2);
    again = false;
  });
  system.tell(Logger, 1, 'put', 1);
  await clock.run();
  assert.deepEqual(log, ['1:1', 'drained', '2:2', 'drained']);
});

test('afterDrain also follows a handler that went on after an await', async () => {
  const { Logger, log, system, clock } = loggers();
  const held = gate();
  system.tell(Logger, 1, 'wait', held.wait);
  await clock.run();
  held.open();
  await clock.run();
  assert.deepEqual(log, ['drained', 'drained']);
});

test('a drain ends with its slice, and goes on in another one', async () => {
  const { Logger, log, system, clock } = loggers(undefined, () => clock.pass(1));
  for (let n = 0; n < 200; n++) system.tell(Logger, n, 'put', 0);
  await clock.run();
  assert.ok(log.filter((line) => line === 'drained').length > 1);
  assert.equal(log.filter((line) => line !== 'drained').length, 200);
});

test('a flooding actor starves neither immediates nor timers', async () => {
  let flooding = true;
  const Flood = kind({
    name: 'flood',
    messages: { go: tell() },
    load: () => null,
    on: {
      go(_state, _message, ctx) {
        if (flooding) ctx.self.tell('go');
      },
    },
  });
  const system = new ActorSystem({ kinds: [Flood] });
  system.tell(Flood, 1, 'go');
  for (let n = 0; n < 5; n++) await new Promise(setImmediate);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(system.tellIfActive(Flood, 1, 'go'), true);
  flooding = false;
  assert.equal(await system.stop(), true);
});

const Quick = kind({
  name: 'quick',
  messages: { get: ask<void, number>() },
  load: () => 7,
  on: { get: (n) => n },
});

test('an ask from outside is answered before the loop turns, and its drain follows all the same', async () => {
  let drains = 0;
  const system = new ActorSystem({ kinds: [Quick], afterDrain: () => drains++ });
  let turned = false;
  setImmediate(() => (turned = true));
  assert.equal(await system.ask(Quick, 1, 'get'), 7);
  assert.deepEqual([turned, drains], [false, 0]);
  await new Promise(setImmediate);
  assert.deepEqual([turned, drains], [true, 1]);
  await system.stop();
});

test('asks one after another starve neither immediates nor timers', async () => {
  const system = new ActorSystem({ kinds: [Quick] });
  const happened: string[] = [];
  setImmediate(() => happened.push('immediate'));
  setTimeout(() => happened.push('timer'), 5);
  while (happened.length < 2) await system.ask(Quick, 1, 'get');
  assert.deepEqual(happened.toSorted(), ['immediate', 'timer']);
  await system.stop();
});

test('who is answered goes on before others that never rest have their second turn', async () => {
  let turns = 0;
  let flooding = true;
  const Restless = kind({
    name: 'restless',
    messages: { go: tell() },
    load: () => null,
    on: {
      go(_state, _none, ctx) {
        turns++;
        if (flooding) ctx.self.tell('go');
      },
    },
  });
  const system = new ActorSystem({ kinds: [Quick, Restless] });
  system.tell(Restless, 1, 'go');
  await system.ask(Quick, 1, 'get');
  assert.ok(turns <= actorLimits.turnMessagesMax * 2, `${turns} turns`);
  flooding = false;
  await system.stop();
});
