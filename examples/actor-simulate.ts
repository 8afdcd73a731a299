import assert from 'node:assert/strict';
import { ask, env, explore, kind, simulate, tell } from 'encke/actor';

type Disk = Map<unknown, number>;

const Account = kind({
  name: 'account',
  env: env<Disk>(),
  messages: { pay: ask<number, number>(), remind: tell(), reminded: tell(), total: ask<void, number>() },
  reads: ['remind', 'total'],
  saves: 'through',
  passivateAfterMs: 60_000,
  load: (ctx) => ({ total: ctx.env.get(ctx.id) ?? 0 }),
  save: ({ total }, ctx) => void ctx.env.set(ctx.id, total),
  on: {
    pay: (state, sum) => (state.total += sum),
    remind: (_state, _none, ctx) => ctx.timers.once('remind', 30_000, 'reminded'),
    reminded: (state) => void (state.total -= 1), // a fee
    total: (state) => state.total,
  },
});

// An hour passes in no time, and nothing of it is real but the code.
const disk: Disk = new Map();
const sim = simulate([Account], { seed: 1, env: () => disk });
await sim.ask(Account, 'ann', 'pay', 10);
sim.tell(Account, 'ann', 'remind');
await sim.advance('1h');
console.log(sim.residents(Account), disk.get('ann')); // 0 9

// Whatever the order, whichever shard crashes, whatever gets lost: what was answered is on the disk.
await explore(200, async (seed) => {
  const store: Disk = new Map();
  const faults = { crash: 0.02, delay: '50ms', lose: 0.1 } as const;
  const world = simulate([Account], { seed, shards: 3, faults, env: () => store });
  let answered = 0;
  for (let n = 0; n < 10; n++) {
    const paid = world.ask(Account, 'bob', 'pay', 1, { timeoutMs: 500 });
    answered += await paid.then(
      () => 1,
      () => 0, // refused, or lost on its way: it may be on the disk, or not
    );
  }
  assert.ok((store.get('bob') ?? 0) >= answered);
});
console.log('200 seeds hold'); // 200 seeds hold
