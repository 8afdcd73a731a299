import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  actorLimits,
  ask,
  env,
  explore,
  kind,
  type SimOptions,
  simulate,
  tell,
} from '../../src/actor/index.ts';

interface Disk {
  readonly disk: Map<unknown, number>;
}

const Account = kind({
  name: 'account',
  env: env<Disk>(),
  messages: {
    add: tell<number>(),
    pay: ask<number, number>(),
    total: ask<void, number>(),
    later: tell<number>(),
    tick: tell(),
    slow: ask<number, string>(),
    echo: ask<unknown, unknown>(),
    crash: tell(),
    roll: ask<void, number>(),
    forever: ask<void, void>(),
  },
  passivateAfterMs: 60_000,
  reads: ['total', 'later', 'tick', 'slow', 'echo', 'roll', 'forever'],
  saves: 'through',
  supervise: { strategy: 'escalate' },
  load: (ctx) => ({ total: ctx.env.disk.get(ctx.id) ?? 0 }),
  save: ({ total }, ctx) => void ctx.env.disk.set(ctx.id, total),
  on: {
    add: (state, n) => void (state.total += n),
    pay: (state, n) => (state.total += n),
    total: (state) => state.total,
    later: (_state, n, ctx) => ctx.timers.once('later', 30_000, 'add', n),
    tick: (_state, _none, ctx) => ctx.timers.every('tick', 3_600_000, 'tick'),
    async slow(_state, ms, ctx) {
      await ctx.sleep(ms);
      return `slept until ${ctx.now()}`;
    },
    echo: (_state, value) => value,
    crash() {
      throw new Error('fatal');
    },
    roll: (_state, _none, ctx) => ctx.random(),
    forever: () => new Promise<void>(() => {}),
  },
});

function bank(options: SimOptions<Disk> = {}) {
  const disk = new Map<unknown, number>();
  return { disk, sim: simulate([Account], { env: () => ({ disk }), ...options }) };
}

/** A few accounts, told and asked at random. */
async function program(seed: number): Promise<string> {
  const { sim } = bank({ seed, shards: 3, faults: { crash: 0.01, delay: '20ms', lose: 0.05 } });
  for (let n = 0; n < 30; n++) {
    sim.tell(Account, sim.random.int(0, 9), 'add', n);
    if (sim.random.chance(0.3))
      await sim.ask(Account, n % 5, 'roll', undefined, { timeoutMs: 200 }).catch(() => {});
  }
  await sim.advance('5s');
  return sim.fingerprint;
}

test('the same seed gives the same run, another seed another one', async () => {
  const runs = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const run = await program(seed);
    assert.equal(await program(seed), run, `seed ${seed}`);
    runs.add(run);
  }
  assert.equal(runs.size, 20);
});

test('an ask runs the simulation as far as its answer, time included, without waiting for real', async () => {
  const { sim } = bank();
  assert.equal(await sim.ask(Account, 1, 'slow', 3_600_000, { timeoutMs: 7_200_000 }), 'slept until 3600000');
  assert.equal(sim.now, 3_600_000);
});

test('advance moves time through everything that becomes due: timers, passivation, deadlines', async () => {
  const { sim, disk } = bank();
  sim.tell(Account, 1, 'later', 5);
  const late = assert.rejects(sim.ref(Account, 2).ask('forever'), { name: 'AskTimeout' });
  await sim.advance('29s');
  assert.deepEqual([disk.get(1), sim.residents(Account)], [undefined, 2]);
  await sim.advance('1s');
  assert.equal(disk.get(1), 5);
  await sim.advance('61s');
  assert.deepEqual([sim.residents(Account), sim.now], [1, 91_000], 'the one that hangs stays');
  await late;
});

test('run does what is ready, and leaves time alone', async () => {
  const { sim, disk } = bank();
  sim.tell(Account, 1, 'add', 1);
  assert.equal(disk.get(1), undefined);
  await sim.run();
  assert.deepEqual([disk.get(1), sim.now], [1, 0]);
});

test('asks at the same time run at the same time', async () => {
  const { sim } = bank();
  await Promise.all([1, 2, 3].map((id) => sim.ask(Account, id, 'slow', 1_000)));
  assert.equal(sim.now, 1_000);
});

test('a promise that waits for something outside is no endless loop', async () => {
  const { sim } = bank();
  const stuck = /nothing that the simulation owns/;
  await assert.rejects(sim.settle(new Promise(() => {})), stuck);
  sim.tell(Account, 1, 'tick');
  await assert.rejects(sim.settle(new Promise(() => {})), stuck);
  assert.ok(sim.now <= actorLimits.settleMsMax);
});

test('messages between shards are encoded for real', async () => {
  const { sim } = bank();
  const bytes = new Uint8Array([1, 2]);
  const back = (await sim.ask(Account, 1, 'echo', { bytes, ref: sim.ref(Account, 3) })) as any;
  assert.equal(Buffer.isBuffer(back.bytes), true);
  assert.equal(await sim.settle(back.ref.ask('total')), 0);
  const local = bank({ shards: 0 }).sim;
  assert.equal(await local.ask(Account, 1, 'echo', bytes), bytes);
});

test('a shard that crashes loses its memory and its asks, and comes back by load', async () => {
  const { sim, disk } = bank({ shards: 1 });
  sim.tell(Account, 1, 'add', 5);
  const lost = assert.rejects(sim.ref(Account, 2).ask('slow', 1_000), { reason: 'unreachable' });
  await sim.run();
  disk.set(1, 7); // behind its back: only load sees it
  sim.crash(1);
  await sim.run(); // By now the caller's node knows.
  assert.equal(await sim.ask(Account, 1, 'total'), 7);
  await lost;
  assert.equal(sim.now, 100);
  assert.ok(sim.trace.some((line) => line.includes('shard 1 crashes')));
});

test('a fatal failure crashes its shard, as it would end a thread', async () => {
  const { sim } = bank({ shards: 1 });
  sim.tell(Account, 1, 'crash');
  await sim.run();
  assert.deepEqual(
    sim.failures.map(({ fatal }) => fatal),
    [true],
  );
  assert.equal(sim.residents(Account), 0);
  assert.equal(await sim.ask(Account, 1, 'total'), 0);
});

test('frames are late and get lost as the faults say, until the simulation heals', async () => {
  const { sim } = bank({ seed: 1, shards: 1, faults: { lose: 0.5, delay: '1s' } });
  const asks = Array.from({ length: 40 }, () =>
    sim.ask(Account, 1, 'total', undefined, { timeoutMs: 10_000 }),
  );
  const results = await Promise.allSettled(asks);
  const lost = results.filter(({ status }) => status === 'rejected').length;
  assert.ok(lost > 20 && lost < 40, `${lost} lost`);
  sim.heal();
  assert.equal(await sim.ask(Account, 1, 'total'), 0);
});

test('a simulation stops as a system does', async () => {
  const { sim, disk } = bank();
  for (let id = 0; id < 10; id++) sim.tell(Account, id, 'add', id);
  assert.equal(await sim.stop(), true);
  assert.deepEqual([sim.residents(Account), disk.size], [0, 10]);
});

test('a length of time is a number or says its unit', async () => {
  const { sim } = bank();
  for (const [duration, ms] of [
    [5, 5],
    ['250ms', 250],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['1h', 3_600_000],
  ] as const) {
    const before = sim.now;
    await sim.advance(duration);
    assert.equal(sim.now - before, ms);
  }
  assert.throws(() => sim.advance('soon' as '1s'), RangeError);
  assert.throws(() => sim.advance(-1), RangeError);
});

/** Two readers of one value race: whoever is told first wins. */
const race = async (seed: number): Promise<string> => {
  const { sim } = bank({ seed });
  const order: string[] = [];
  const asks = [1, 2].map((id) =>
    sim
      .ref(Account, id)
      .ask('pay', id)
      .then(() => order.push(String(id))),
  );
  await sim.settle(Promise.all(asks));
  if (order[0] === '2') throw new Error(`2 came first: ${sim.fingerprint}`);
  return sim.fingerprint;
};

test('explore finds the seed that fails, and that seed fails in the same way again', async (t) => {
  const given = process.env['ACTOR_SEED'];
  delete process.env['ACTOR_SEED'];
  t.after(() => given !== undefined && (process.env['ACTOR_SEED'] = given));
  const printed: string[] = [];
  t.mock.method(process.stderr, 'write', (text: string) => printed.push(text) > 0);
  let found: unknown;
  await explore(200, (seed) => race(seed).then(() => {}), { seed: 1 }).catch(
    (error: unknown) => (found = error),
  );
  t.mock.restoreAll();
  assert.ok(found instanceof Error);
  const seed = Number(/seed (\d+) fails/.exec(found.message)?.[1]);
  assert.match(found.message, /account\/2 pay/);
  assert.match(printed[0]!, new RegExp(`ACTOR_SEED=${seed} runs it again`));
  await assert.rejects(race(seed), { message: (found.cause as Error).message });
});

test('explore tries as many seeds as it is told, each once', async () => {
  const seeds: number[] = [];
  await explore(5, (seed) => void seeds.push(seed), { seed: 40 });
  assert.deepEqual(seeds, process.env['ACTOR_SEED'] === undefined ? [40, 41, 42, 43, 44] : seeds);
});
