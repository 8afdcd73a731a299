import { test } from 'node:test';
import { ActorSystem, args, ask, type Ended, env, kind, simulate, tell } from '../../src/actor/index.ts';

interface Env {
  readonly shard: number;
}

const Typed = kind({
  name: 'typed',
  env: env<Env>(),
  messages: {
    add: tell<number>(),
    reset: tell(),
    list: ask<{ from: number }, number[]>(),
    size: ask<void, number>(),
  },
  load: async (ctx) => ({ sum: ctx.env.shard, items: [] as number[] }),
  save: (state) => void state.sum.toFixed(),
  busy: (state) => state.items.length > 0,
  on: {
    add(state, n, ctx) {
      state.sum += n;
      state.items.push(ctx.env.shard);
      ctx.timers.once('t', 1, 'reset');
      // @ts-expect-error: an unknown message
      const unknown = () => ctx.timers.once('t', 1, 'nothing');
      // @ts-expect-error: an ask cannot be told by a timer
      const asked = () => ctx.timers.once('t', 1, 'size');
      // @ts-expect-error: state is inferred from load
      const missing = () => state.nothing;
      return void [unknown, asked, missing];
    },
    reset: (state) => void (state.sum = 0),
    list: (state, { from }) => state.items.slice(from),
    size: async (state) => state.items.length,
  },
});

// The calls are for the compiler only: each mistake below has to be an error.
export const calls = async (system: ActorSystem): Promise<void> => {
  const ref = system.ref(Typed, 1);
  const taken: boolean = ref.tell('add', 1);
  const list: number[] = await ref.ask('list', { from: 1 }, { timeoutMs: 5 });
  const size: number = await system.ask(Typed, 1, 'size');
  ref.tell('reset');
  system.tellIfActive(Typed, 1, 'add', 2);
  // @ts-expect-error: an unknown message
  ref.tell('nothing', 1);
  // @ts-expect-error: a payload of the wrong type
  ref.tell('add', '1');
  // @ts-expect-error: the payload is missing
  ref.tell('add');
  // @ts-expect-error: an ask cannot be told
  ref.tell('size');
  // @ts-expect-error: a tell cannot be asked
  void ref.ask('add', 1);
  // @ts-expect-error: the answer is a list of numbers
  const wrong: string = await ref.ask('list', { from: 1 });
  // @ts-expect-error: a payload of the wrong type
  system.tell(Typed, 1, 'add', {});
  // @ts-expect-error: an id is a string or a number
  system.ref(Typed, {});
  void [taken, list, size, wrong];
};

export const definitions = (): unknown[] => [
  kind({
    name: 'missing',
    messages: { a: tell<number>(), b: tell<number>() },
    load: () => 0,
    // @ts-expect-error: b has no handler
    on: { a() {} },
  }),
  kind({
    name: 'extra',
    messages: { a: tell<number>() },
    load: () => 0,
    // @ts-expect-error: c is no message
    on: { a() {}, c() {} },
  }),
  kind({
    name: 'answer',
    messages: { a: ask<void, number>() },
    load: () => 0,
    // @ts-expect-error: the answer has the wrong type
    on: { a: () => 'text' },
  }),
  // @ts-expect-error: the env is not the one that the kind declares
  new ActorSystem({ kinds: [Typed], env: { other: 1 } }),
  new ActorSystem({ kinds: [Typed], env: { shard: 1 } }),
  kind({
    name: 'saves',
    messages: { a: tell<number>() },
    // @ts-expect-error: b is no message
    reads: ['b'],
    load: () => 0,
    on: { a() {} },
  }),
];

const Spawned = kind({
  name: 'spawned',
  args: args<{ size: number }>(),
  messages: { end: tell<Ended>(), note: tell<number>() },
  load: (ctx) => ctx.args.size,
  on: {
    end: (size, { reason }, ctx) => {
      ctx.watch(ctx.self, 'end');
      // @ts-expect-error: note takes no notice
      ctx.watch(ctx.self, 'note');
      // @ts-expect-error: an unknown reason
      return void (size > 1 && reason === 'bored');
    },
    note: () => {},
  },
});

const Bare = kind({ name: 'bare', args: args(), messages: {}, load: () => 0, on: {} });

export const family = async (system: ActorSystem): Promise<void> => {
  system.spawn(Spawned, { size: 1 }).tell('note', 1);
  system.spawn(Bare);
  // @ts-expect-error: args of the wrong type
  system.spawn(Spawned, { size: '1' });
  // @ts-expect-error: the args are missing
  system.spawn(Spawned);
  // @ts-expect-error: a kind without args is told by id
  system.spawn(Typed);
  // @ts-expect-error: an unknown message
  system.spawn(Bare).tell('note');
  const sim = simulate([Typed], { env: (shard) => ({ shard }) });
  const list: number[] = await sim.ask(Typed, 1, 'list', { from: 1 });
  // @ts-expect-error: a payload of the wrong type
  sim.tell(Typed, 1, 'add', 'x');
  // @ts-expect-error: no length of time
  await sim.advance('61 seconds');
  // @ts-expect-error: the env is not the one that the kind declares
  simulate([Typed], { env: () => ({ other: 1 }) });
  void list;
};

test('mistakes with messages, payloads, answers, state and env do not compile', () => {
  // tsc has checked it: an unused @ts-expect-error above is an error.
});
