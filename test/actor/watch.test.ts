import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  actorLimits,
  type Address,
  args,
  type Ended,
  kind,
  type Overflow,
  type Strategy,
  tell,
} from '../../src/actor/index.ts';
import { startPair } from './support/pair.ts';
import { gate, startSystem, until } from './support/system.ts';

function watching(options: { strategy?: Strategy; overflow?: Overflow; capacity?: number } = {}) {
  const seen: string[] = [];
  const Target = kind({
    name: 'target',
    messages: { end: tell(), crash: tell(), leave: tell(), spawn: tell<(address: Address) => void>() },
    supervise: { strategy: options.strategy ?? 'stop' },
    load: () => null,
    on: {
      end: (_state, _message, ctx) => ctx.stop(),
      crash() {
        throw new Error('crash');
      },
      leave: (_state, _message, ctx) => ctx.passivate(),
      spawn: (_state, found, ctx) => found(ctx.spawn(Child)),
    },
  });
  const Child = kind({
    name: 'child',
    args: args(),
    messages: { end: tell() },
    load: () => null,
    on: { end: (_state, _message, ctx) => ctx.stop() },
  });
  const Watcher = kind({
    name: 'watcher',
    messages: {
      watch: tell<Address>(),
      unwatch: tell<Address>(),
      over: tell<Ended>(),
      other: tell<Ended>(),
      note: tell<number>(),
      hold: tell<Promise<void>>(),
      leave: tell(),
    },
    mailbox: { capacity: options.capacity ?? 1_024, overflow: options.overflow ?? 'reject' },
    passivateAfterMs: 1_000,
    load: () => null,
    on: {
      watch: (_state, target, ctx) => ctx.watch(target, 'over'),
      unwatch: (_state, target, ctx) => ctx.unwatch(target),
      over: (_state, { kind: name, id, reason }, ctx) => void seen.push(`${ctx.id}: ${name}/${id} ${reason}`),
      other: () => {},
      note: (_state, n) => void seen.push(`${n}`),
      hold: (_state, wait) => wait,
      leave: (_state, _message, ctx) => ctx.passivate(),
    },
  });
  return { Target, Child, Watcher, seen, kinds: [Target, Child, Watcher] };
}

for (const [how, reason] of [
  ['end', 'stopped'],
  ['crash', 'failed'],
] as const) {
  test(`who watches an actor is told once that it ended: ${reason}`, async () => {
    const { Target, Watcher, seen, kinds } = watching();
    const { system, clock } = startSystem(kinds);
    system.tell(Watcher, 'w', 'watch', system.ref(Target, 1));
    system.tell(Watcher, 'v', 'watch', { kind: 'target', id: 1 });
    await clock.run();
    system.tell(Target, 1, how);
    await clock.run();
    system.tell(Target, 1, how);
    await clock.run();
    assert.deepEqual(seen, [`w: target/1 ${reason}`, `v: target/1 ${reason}`]);
  });
}

test('a restart and a passivation are no end of an actor that has an id', async () => {
  const { Target, Watcher, seen, kinds } = watching({ strategy: 'restart' });
  const { system, clock } = startSystem(kinds);
  system.tell(Watcher, 'w', 'watch', system.ref(Target, 1));
  system.tell(Target, 1, 'crash');
  await clock.advance(1_000);
  system.tell(Target, 1, 'leave');
  await clock.run();
  assert.deepEqual([seen, system.residents(Target)], [[], 0]);
  system.tell(Target, 1, 'end');
  await clock.run();
  assert.deepEqual(seen, ['w: target/1 stopped']);
});

test('a spawned actor that is gone already is told of at once', async () => {
  const { Target, Child, Watcher, seen, kinds } = watching();
  const { system, clock } = startSystem(kinds);
  let child: Address | undefined;
  system.tell(Target, 1, 'spawn', (found) => (child = found));
  await clock.run();
  system.refTo(child!).tell('end');
  await clock.run();
  system.tell(Watcher, 'w', 'watch', child!);
  await clock.run();
  assert.deepEqual(seen, [`w: child/${child!.id} gone`]);
  assert.equal(system.residents(Child), 0);
});

test('unwatch, a second watch, and the end of the watcher leave no notice behind', async () => {
  const { Target, Watcher, seen, kinds } = watching();
  const { system, clock } = startSystem(kinds);
  const target = system.ref(Target, 1);
  system.tell(Watcher, 'un', 'watch', target);
  system.tell(Watcher, 'un', 'unwatch', target);
  system.tell(Watcher, 'twice', 'watch', target);
  system.tell(Watcher, 'twice', 'watch', target);
  system.tell(Watcher, 'left', 'watch', target);
  system.tell(Watcher, 'left', 'leave');
  await clock.run();
  target.tell('end');
  await clock.run();
  assert.deepEqual(seen, ['twice: target/1 stopped']);
  assert.equal(system.residents(Watcher), 2);
});

test('an actor that watches is not passivated for being idle', async () => {
  const { Target, Watcher, kinds } = watching();
  const { system, clock } = startSystem(kinds);
  system.tell(Watcher, 'w', 'watch', system.ref(Target, 1));
  await clock.advance(5_000);
  assert.equal(system.residents(Watcher), 1);
  system.tell(Target, 1, 'end');
  await clock.advance(5_000);
  assert.equal(system.residents(Watcher), 0);
});

for (const [overflow, kept] of [
  ['reject', '1'],
  ['drop-newest', '1'],
  ['drop-oldest', '3'],
] as const) {
  test(`a notice finds room in a full mailbox, and no rule gives it up: ${overflow}`, async () => {
    const { Target, Watcher, seen, kinds } = watching({ overflow, capacity: 3 });
    const { system, clock } = startSystem(kinds);
    for (const id of [1, 2, 3]) system.tell(Watcher, 'w', 'watch', system.ref(Target, id));
    await clock.run();
    const held = gate();
    system.tell(Watcher, 'w', 'hold', held.wait);
    for (const id of [1, 2]) system.tell(Target, id, 'end');
    await clock.run();
    for (const n of [1, 2, 3]) system.tell(Watcher, 'w', 'note', n);
    system.tell(Target, 3, 'end');
    await clock.run();
    held.open();
    await clock.run();
    assert.deepEqual(seen, ['w: target/1 stopped', 'w: target/2 stopped', kept, 'w: target/3 stopped']);
  });
}

test('an actor watches no more than watchesMax others', async () => {
  const { Target, Watcher, kinds } = watching();
  const { system, clock, failures } = startSystem(kinds);
  for (let id = 0; id <= actorLimits.watchesMax; id++) {
    system.tell(Watcher, 'w', 'watch', system.ref(Target, id));
    if (id % 500 === 0) await clock.run();
  }
  await clock.run();
  assert.ok(failures[0]?.error instanceof RangeError);
  assert.equal(failures.length, 1);
});

test('a watch goes over a link, both ways of ending it', async () => {
  const { Target, Watcher, seen, kinds } = watching();
  const { one, connect, stop } = startPair(kinds, (name) => (name === 'watcher' ? 1 : 2));
  connect();
  const target = one.system.ref(Target, 1);
  one.system.tell(Watcher, 'w', 'watch', target);
  one.system.tell(Watcher, 'un', 'watch', target);
  one.system.tell(Watcher, 'un', 'unwatch', target);
  await until(() => one.system.residents(Watcher) === 2);
  target.tell('end');
  await until(() => seen.length > 0);
  assert.deepEqual(seen, ['w: target/1 stopped']);
  await stop();
});

test('an actor whose node is lost has ended for who watches it, and the node forgets the watch', async () => {
  const { Target, Watcher, seen, kinds } = watching();
  const { one, two, connect, stop } = startPair(kinds, (name) => (name === 'watcher' ? 1 : 2));
  connect();
  const target = one.system.ref(Target, 1);
  one.system.tell(Watcher, 'w', 'watch', target);
  target.tell('leave');
  await until(() => two.system.residents(Target) === 1);
  one.system.disconnect(2);
  await until(() => seen.length > 0);
  assert.deepEqual(seen, ['w: target/1 unreachable']);
  await stop();
});
