import { threadId } from 'node:worker_threads';
import { ask, env, kind, type Ref, type Setup, type SetupInfo, tell } from '../../../src/actor/index.ts';

/** Numbers that outlive any thread. */
export interface Shared {
  readonly saved: Int32Array;
}

const tallyMessages = {
  add: tell<number>(),
  total: ask<void, number>(),
  where: ask<void, { node: number; threadId: number }>(),
  /** Adds to the other one in turn, so many times. */
  bounce: tell<{ to: Ref<any>; times: number }>(),
  die: tell(),
  hang: ask<void, void>(),
};

/** Adds up, saved through to the shared numbers at its id. */
export const Tally = kind({
  name: 'tally',
  env: env<Shared>(),
  messages: tallyMessages,
  reads: ['total', 'where', 'bounce', 'die', 'hang'],
  saves: 'through',
  load: (ctx) => ({ total: Atomics.load(ctx.env.saved, Number(ctx.id)) }),
  save: ({ total }, ctx) => void Atomics.store(ctx.env.saved, Number(ctx.id), total),
  mailbox: { capacity: 100_000 },
  on: {
    add: (state, n) => void (state.total += n),
    total: (state) => state.total,
    where: (_state, _none, ctx) => ({ node: ctx.system.node, threadId }),
    bounce(_state, { to, times }, ctx) {
      ctx.self.tell('add', 1);
      if (times > 0) to.tell('bounce', { to: ctx.self, times: times - 1 });
    },
    die: () => process.exit(1),
    hang: () => new Promise<void>(() => {}),
  },
});

export function setup({ node, data }: SetupInfo): Setup<Shared> {
  const { numbers, byThird, failingStart } = data as {
    numbers: SharedArrayBuffer;
    byThird?: boolean;
    failingStart?: number;
  };
  if (node > 0 && Atomics.add(new Int32Array(numbers), 999, 1) === failingStart) throw new Error('no start');
  return {
    env: { saved: new Int32Array(numbers) },
    ...(byThird === true ? { place: (_kind, id, threads) => (Number(id) % 3) % threads } : {}),
  };
}
