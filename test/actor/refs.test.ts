import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, ask, kind, type Ref, tell } from '../../src/actor/index.ts';
import { startPair } from './support/pair.ts';

const greeterMessages = { greet: ask<string, string>() };
const Greeter = kind({
  name: 'greeter',
  messages: greeterMessages,
  load: (ctx) => ctx.system.node,
  on: { greet: (node, name) => `hello ${name} from ${node}` },
});
const Relay = kind({
  name: 'relay',
  messages: {
    relay: ask<{ to: Ref<typeof greeterMessages>; name: string }, string>(),
    who: ask<void, { self: Ref<any>; others: Ref<any>[] }>(),
    none: tell(),
  },
  load: () => null,
  on: {
    relay: (_state, { to, name }) => to.ask('greet', name),
    who: (_state, _none, ctx) => ({ self: ctx.self, others: [ctx.system.ref(Greeter, 'a')] }),
    none: () => {},
  },
});

test('a ref that is sent to another thread works there, and comes back as a ref', async () => {
  const { one, connect, stop } = startPair([Greeter, Relay], (name) => (name === 'greeter' ? 1 : 2));
  connect();
  const to = one.system.ref(Greeter, 'g');
  assert.equal(await one.system.ask(Relay, 1, 'relay', { to, name: 'ann' }), 'hello ann from 1');
  const { self, others } = await one.system.ask(Relay, 1, 'who');
  assert.deepEqual(self, one.system.ref(Relay, 1));
  assert.equal(others[0]!.equals(one.system.ref(Greeter, 'a')), true);
  assert.equal(await others[0]!.ask('greet', 'bob'), 'hello bob from 1');
  await stop();
});

test('refs are values: equal by kind and id, and plain once they are cloned or written as JSON', async () => {
  const { one, connect, stop } = startPair([Greeter, Relay], () => 1);
  connect();
  const ref = one.system.ref(Greeter, 21);
  assert.deepEqual(ref, one.system.ref(Greeter, 21));
  assert.notDeepEqual(ref, one.system.ref(Greeter, '21'));
  assert.notDeepEqual(ref, one.system.ref(Relay, 21));
  const plain: Address = { kind: 'greeter', id: 21 };
  assert.deepEqual([structuredClone(ref), JSON.parse(JSON.stringify(ref))], [plain, plain]);
  assert.equal(ref.equals(plain), true);
  assert.equal(await one.system.refTo<typeof greeterMessages>(plain).ask('greet', 'cy'), 'hello cy from 1');
  await stop();
});

test('a ref to a kind that this system does not know is a dead end, not an error', async () => {
  const { one, stop } = startPair([Greeter], () => 1);
  const ref = one.system.refTo({ kind: 'elsewhere', id: 1 });
  assert.equal(ref.tell('x'), false);
  assert.equal(ref.tellIfActive('x'), false);
  await assert.rejects(ref.ask('x'), { name: 'AskRefused', reason: 'unknown_kind' });
  await assert.rejects(ref.room(), { name: 'AskRefused', reason: 'unknown_kind' });
  assert.deepEqual(
    one.letters.map(({ kind: name, reason }) => `${name} ${reason}`),
    ['elsewhere unknown_kind', 'elsewhere unknown_kind', 'elsewhere unknown_kind'],
  );
  await stop();
});
