import { performance } from 'node:perf_hooks';
import { args, ask, kind, tell } from '../src/actor/index.ts';

/** The actors of the benchmark; a module of their own, for threads to import. */
const state = (): { n: number } => ({ n: 0 });

export const Hot = kind({
  name: 'hot',
  messages: { add: tell<number>(), total: ask<void, number>() },
  mailbox: { capacity: 65_536 },
  load: state,
  on: {
    add: (counter, n) => void (counter.n += n),
    total: (counter) => counter.n,
  },
});

interface Ball {
  n: number;
  from: { tell(name: 'ping', ball: Ball): boolean };
  readonly done: () => void;
}

const pingMessages = { ping: tell<Ball>() };
export const Ping = kind({
  name: 'ping',
  messages: pingMessages,
  load: state,
  on: {
    ping(_state, message, ctx) {
      const { from } = message;
      if (message.n-- === 0) {
        message.done();
        return;
      }
      message.from = ctx.self;
      from.tell('ping', message);
    },
  },
});

export const Brief = kind({
  name: 'brief',
  args: args<() => void>(),
  messages: { end: tell() },
  load: (ctx) => ({ ended: ctx.args }),
  on: {
    end(brief, _none, ctx) {
      brief.ended();
      ctx.stop();
    },
  },
});

/** Milliseconds by the clock, and of CPU time of the process. */
export function nowMs(): { readonly clock: number; readonly cpu: number } {
  const { user, system } = process.cpuUsage();
  return { clock: performance.now(), cpu: (user + system) / 1_000 };
}

/** Says when it was asked. */
export const Calm = kind({
  name: 'calm',
  messages: { when: ask<void, ReturnType<typeof nowMs>>() },
  load: state,
  on: { when: nowMs },
});

/** Keeps its thread busy for good: each message costs about `spin` steps, and tells the next one. */
export const Flood = kind({
  name: 'flood',
  messages: { go: tell<{ stop: boolean; spin: number }>(), count: ask<void, number>() },
  load: state,
  on: {
    go(counter, message, ctx) {
      for (let n = 0; n < message.spin; n++) counter.n += n;
      if (!message.stop) ctx.self.tell('go', message);
    },
    count: (counter) => counter.n,
  },
});

export const Resting = kind({
  name: 'resting',
  messages: { wake: tell(), leave: tell() },
  load: state,
  on: { wake: (counter) => void counter.n++, leave: (_state, _none, ctx) => ctx.passivate() },
});
