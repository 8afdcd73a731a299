import assert from 'node:assert/strict';
import {
  type ActorId,
  args,
  ask,
  type Ended,
  env,
  kind,
  simulate,
  type SimOptions,
  tell,
} from '../../../src/actor/index.ts';

/**
 * Actors that check on each other while a random program runs, and a naive record of what they may
 * do: who told whom what, who is in memory, who waits for whom.
 */
export type Step =
  | { readonly do: 'note'; readonly from: string; readonly n: number }
  | { readonly do: 'sleep'; readonly ms: number }
  | { readonly do: 'fail' | 'failLater' | 'leave' | 'end' | 'spawn' | 'unstash' }
  | { readonly do: 'stash'; readonly n: number }
  | { readonly do: 'tell'; readonly to: number };

/** One life of a shard: what is in its memory ends with it. */
interface Life {
  dead: boolean;
}

export function model(options: SimOptions<Life>) {
  const lives = new Map<number, Life>();
  /** The activation of each id: there is one at a time, and it runs one handler at a time. */
  const active = new Map<string, { readonly life: Life; ended: boolean; running: boolean }>();
  const childFailures = new Map<string, number>();
  const told = new Map<string, number>();
  const handled = new Map<string, number[]>();
  /** Notices of each watch, of watchers that did not crash. */
  const watches: { life: Life; notices: number }[] = [];
  /** Peers that do not stash any more, and what they did not stash. */
  const openDoors = new Set<string>();
  const unstashed = new Set<number>();
  const asks = { made: 0, settled: 0 };
  let stopped = false;

  const activate = (name: string, id: ActorId, life: Life) => {
    const key = `${name}/${id}`;
    const old = active.get(key);
    // A child escalated: its parent began anew, whatever it was doing.
    const escalated = sim.failures.filter((failure) => failure.phase === 'child' && failure.id === id).length;
    if (old !== undefined && escalated > (childFailures.get(key) ?? 0)) old.ended = true;
    childFailures.set(key, escalated);
    assert.ok(old === undefined || old.ended || old.life.dead, `${key}: two activations`);
    const own = { life, ended: false, running: false };
    active.set(key, own);
    return { key, own };
  };
  type Activation = ReturnType<typeof activate>;
  const enter = ({ key, own }: Activation): void => {
    assert.equal(stopped, false, 'a handler runs after stop');
    assert.equal(own.ended, false, `${key}: a handler runs after its end`);
    assert.equal(active.get(key), own, `${key}: an old activation runs`);
    assert.equal(own.running, false, `${key}: interleaved`);
    own.running = true;
  };
  const exit = ({ own }: Activation): void => void (own.running = false);
  const count = async (asked: Promise<unknown>): Promise<string> => {
    asks.made++;
    const result = await asked.then(
      () => 'answered',
      (error: unknown) => (error as Error).name,
    );
    asks.settled++;
    return result;
  };
  const note = (key: string, from: string, n: number): void => {
    const pair = `${from}>${key}`;
    const seen = handled.get(pair) ?? [];
    assert.ok(n > (seen.at(-1) ?? -1), `${pair}: ${n} after ${seen.at(-1)}`);
    handled.set(pair, [...seen, n]);
  };

  const fails = ({ own }: Activation): never => {
    own.ended = true; // it is loaded again
    throw new Error('planned');
  };

  const Child = kind({
    name: 'child',
    env: env<Life>(),
    args: args<string>(),
    messages: { work: tell<number>() },
    load: (ctx) => activate('child', ctx.id, ctx.env),
    on: {
      work(state, n, ctx) {
        enter(state);
        exit(state);
        if (n === 0) {
          state.own.ended = true;
          ctx.stop();
        } else if (n === 1) throw new Error('planned');
      },
    },
    supervise: { strategy: 'escalate' },
  });

  const Peer = kind({
    name: 'peer',
    env: env<Life>(),
    messages: {
      step: tell<Step>(),
      path: ask<readonly number[], string>(),
      over: tell<Ended>(),
    },
    mailbox: { capacity: 8 },
    stashMax: 2,
    passivateAfterMs: 40,
    residentsMax: 3,
    supervise: { backoffMsMin: 1, backoffMsMax: 4, restartsMax: 1_000 },
    async load(ctx) {
      const own = activate('peer', ctx.id, ctx.env);
      if (ctx.random() < 0.3) await ctx.sleep(ctx.random() * 5);
      return own;
    },
    async save(state, ctx) {
      assert.equal(active.get(state.key), state.own, 'saved by an old activation');
      if (ctx.random() < 0.3) await ctx.sleep(ctx.random() * 5);
      state.own.ended = true;
    },
    on: {
      step(state, step, ctx): void | Promise<void> {
        enter(state);
        if (step.do === 'sleep' || step.do === 'failLater') {
          return ctx.sleep(step.do === 'sleep' ? step.ms : 1).then(() => {
            exit(state);
            if (step.do === 'failLater') fails(state);
          });
        }
        if (step.do === 'note') note(state.key, step.from, step.n);
        else if (step.do === 'stash') {
          if (openDoors.has(state.key) || !ctx.stash()) unstashed.add(step.n);
        } else if (step.do === 'unstash') {
          openDoors.add(state.key);
          ctx.unstash();
        } else if (step.do === 'spawn') {
          const child = ctx.spawn(Child, 'args');
          if (ctx.random() < 0.5) ctx.watch(child, 'over');
          for (let n = 0; n < 3; n++) child.tell('work', Math.floor(ctx.random() * 4));
        } else if (step.do === 'tell') {
          tellNote(ctx.system, step.to, `${state.key}#${lives.size}`);
        } else if (step.do === 'leave') ctx.passivate();
        exit(state);
        if (step.do === 'fail') fails(state);
        if (step.do === 'end') {
          state.own.ended = true;
          ctx.stop();
        }
      },
      async path(state, [next, ...rest], ctx): Promise<string> {
        enter(state);
        try {
          if (next === undefined) return 'end';
          return await count(ctx.ask(ctx.system.ref(Peer, next), 'path', rest, { timeoutMs: 500 }));
        } finally {
          exit(state);
        }
      },
      over(state) {
        enter(state);
        exit(state);
      },
    },
  });

  /** Never ends but by a crash, so that each of its watches has to end in one notice. */
  const Watcher = kind({
    name: 'watcher',
    env: env<Life>(),
    messages: { watch: tell<ActorId>(), over: tell<Ended>() },
    load: (ctx) => ({ life: ctx.env, begun: new Map<ActorId, { notices: number }>() }),
    on: {
      watch(state, id, ctx) {
        if (state.begun.has(id)) return;
        const watch = { life: state.life, notices: 0 };
        watches.push(watch);
        state.begun.set(id, watch);
        ctx.watch({ kind: 'peer', id }, 'over');
      },
      over(state, { id }) {
        const watch = state.begun.get(id);
        assert.ok(watch !== undefined, 'a notice without a watch');
        watch.notices++;
        assert.equal(watch.notices, 1, 'a second notice');
        state.begun.delete(id);
      },
    },
  });

  const sim = simulate([Peer, Child, Watcher], {
    ...options,
    env(shard) {
      const old = lives.get(shard);
      if (old !== undefined) old.dead = true;
      const life = { dead: false };
      lives.set(shard, life);
      return life;
    },
  });

  function tellNote(system: typeof sim.system, to: number, from: string): void {
    const pair = `${from}>peer/${to}`;
    const n = told.get(pair) ?? 0;
    if (system.tell(Peer, to, 'step', { do: 'note', from, n })) told.set(pair, n + 1);
  }

  /** What went wrong, besides what the program planned. */
  const broken = (): unknown[] =>
    sim.failures.filter(({ error }) => (error as Error).message !== 'planned').map(({ error }) => error);

  const stop = async (): Promise<void> => {
    await sim.stop();
    stopped = true;
    await sim.advance('10s');
  };
  return { sim, Peer, Watcher, told, handled, unstashed, watches, asks, count, tellNote, broken, stop };
}
