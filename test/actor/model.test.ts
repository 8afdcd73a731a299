/**
 * Random programs against a model, thousands of seeds of them. Peers on up to three shards are told,
 * asked and watched while handlers return at once, wait, fail, stash, spawn; they leave memory, their
 * mailboxes are full, shards crash, frames are late or lost. Checked throughout: at most one
 * activation of an id; no two handlers of one at a time; what one sender told one actor is handled in
 * order, each message once; a watch gives one notice; every ask settles; nothing runs after stop.
 * A failing seed is printed; ACTOR_SEED=<seed> runs it again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Ended,
  explore,
  type Faults,
  kind,
  type Overflow,
  type SeededRandom,
  simulate,
  tell,
} from '../../src/actor/index.ts';
import { model, type Step } from './support/model.ts';

const PROGRAM_STEPS = 24;

const faultsOf = (seed: number): Faults[] => [
  {},
  { delay: '20ms' },
  { delay: '10ms', crash: 0.004, restartAfter: '15ms' },
  { delay: '10ms', crash: 0.002, lose: 0.05, restartAfter: seed % 2 === 0 ? '5ms' : '200ms' },
];

function randomStep(random: SeededRandom, n: number): Step {
  const what = random.pick([
    'sleep',
    'fail',
    'failLater',
    'leave',
    'end',
    'spawn',
    'stash',
    'unstash',
    'tell',
  ] as const);
  if (what === 'sleep') return { do: what, ms: random.int(0, 10) };
  if (what === 'stash') return { do: what, n };
  if (what === 'tell') return { do: what, to: random.int(0, 5) };
  return { do: what };
}

async function program(seed: number): Promise<void> {
  const faults = faultsOf(seed)[seed % 4] as Faults;
  const calm = seed % 4 < 2;
  const { sim, Peer, Watcher, told, handled, unstashed, watches, asks, count, tellNote, broken, stop } =
    model({
      seed,
      shards: (seed >> 2) % 4,
      faults,
    });
  const { random } = sim;
  const stashes: number[] = [];
  const outer: Promise<string>[] = [];
  for (let n = 0; n < PROGRAM_STEPS; n++) {
    const id = random.int(0, 5);
    const choice = random.int(0, 9);
    if (choice < 4) for (let more = random.int(1, 4); more > 0; more--) tellNote(sim.system, id, 'main');
    else if (choice < 6) {
      const step = randomStep(random, n);
      if (sim.tell(Peer, id, 'step', step) && step.do === 'stash') stashes.push(n);
    } else if (choice < 8) {
      const path = Array.from({ length: random.int(0, 3) }, () => random.int(0, 5));
      outer.push(count(sim.ref(Peer, id).ask('path', path, { timeoutMs: 500 })));
    } else if (choice === 8) sim.tell(Watcher, random.int(0, 1), 'watch', id);
    else await (random.chance(0.5) ? sim.run() : sim.advance(random.int(1, 60)));
  }
  await sim.advance('2s');
  sim.heal();
  await sim.advance('5s');
  // Whatever happened so far: a watched actor that ends now, ends once for who watches it.
  for (let id = 0; id < 6; id++) sim.tell(Peer, id, 'step', { do: 'unstash' });
  await sim.advance('1s');
  for (let id = 0; id < 6; id++) sim.tell(Peer, id, 'step', { do: 'end' });
  await sim.advance('1s');
  assert.deepEqual(broken(), []);
  for (const { life, notices } of watches)
    assert.equal(notices, life.dead ? notices : 1, 'a watch without a notice');
  if (calm) {
    assert.equal(asks.settled, asks.made, 'an ask is not settled');
    const stashedDead = sim.deadLetters.filter(
      ({ payload }) => (payload as Step | undefined)?.do === 'stash',
    );
    assert.ok(unstashed.size + stashedDead.length >= stashes.length, 'something stashed is lost');
    const dead = sim.deadLetters.filter(({ message }) => message === 'step').length;
    for (const [pair, n] of told) {
      const seen = handled.get(pair) ?? [];
      assert.ok(seen.length + dead >= n, `${pair}: ${seen.length} of ${n} handled, ${dead} dead letters`);
    }
  }
  await Promise.race([
    Promise.all(outer),
    sim.advance('1s').then(() => assert.fail('an ask from outside is not settled')),
  ]);
  await stop();
  assert.deepEqual(broken(), []);
}

/** A mailbox as an array, with its rule: what a program of tells and turns has to come to. */
function reference(rule: Overflow, capacity: number) {
  const waiting: number[] = [];
  const dead: number[] = [];
  const tell_ = (n: number): boolean => {
    if (waiting.length < capacity) waiting.push(n);
    else if (rule === 'drop-oldest') {
      dead.push(waiting.shift() as number);
      waiting.push(n);
    } else {
      dead.push(n);
      return rule === 'drop-newest';
    }
    return true;
  };
  return { waiting, dead, tell: tell_ };
}

async function mailboxProgram(seed: number): Promise<void> {
  const handled: number[] = [];
  const capacity = 1 + (seed % 9);
  const overflow = (['reject', 'drop-newest', 'drop-oldest'] as const)[seed % 3] as Overflow;
  let hold = false;
  const Box = kind({
    name: 'box',
    messages: { put: tell<number>(), end: tell<Ended>() },
    mailbox: { capacity, overflow },
    load: () => null,
    on: {
      put(_state, n, ctx) {
        handled.push(n);
        return hold ? ctx.sleep(10) : undefined;
      },
      end: () => {},
    },
  });
  const sim = simulate([Box], { seed, shards: 0 });
  const expected = reference(overflow, capacity);
  const all: number[] = [];
  for (let n = 0; n < 60; n++) {
    if (sim.random.chance(0.85)) {
      assert.equal(sim.tell(Box, 1, 'put', n), expected.tell(n), `tell ${n}`);
      continue;
    }
    hold = sim.random.chance(0.5);
    if (!hold || expected.waiting.length === 0) {
      hold = false;
      await sim.advance(100);
      all.push(...expected.waiting.splice(0));
    } else {
      await sim.run(); // one is handled, and holds up the others
      const first = expected.waiting[0];
      if (handled.at(-1) === first && first !== undefined) all.push(expected.waiting.shift() as number);
    }
    hold = false;
  }
  await sim.advance(1_000);
  all.push(...expected.waiting);
  assert.deepEqual(handled, all);
  assert.deepEqual(
    sim.deadLetters.map(({ payload }) => payload),
    expected.dead,
  );
}

test('random programs keep what the runtime promises', () => explore(6_500, program));
test('a mailbox does what an array of its capacity would do', () => explore(4_000, mailboxProgram));
