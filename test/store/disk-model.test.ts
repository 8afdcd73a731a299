/**
 * A disk engine with tiny bounds, so that what it has is spread over tables, the frozen and the
 * active segment, does random things and is held against lists. The seed is printed;
 * ENCKE_FUZZ_SEED runs it again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOf, isGroup, pairOf, type Conversation } from '../../src/store/conversation.ts';
import type { DiskEngine } from '../../src/store/disk/disk-engine.ts';
import type { Append, Cursor, Participation, UserRecord } from '../../src/store/store.ts';
import { runAfter, runLast, type Run } from '../../src/wire/run.ts';
import type { UserId } from '../../src/wire/user-id.ts';
import { DiskRig, temporaryDir } from '../support/disk.ts';
import { textsFrom } from '../support/engine.ts';
import { seededRandom, type Random } from '../support/random.ts';

const USERS: UserId[] = [1, 2, 3, 2_147_483_647, 'ann', 'bob', '"quoted" \u{1f600}'];
const GROUPS = [1, 7, 2_147_483_647];
const STEPS = 2_500;
const BOUNDS = { memtableBytesMax: 3_000, commitBytesMax: 700 };

class Model {
  readonly runs = new Map<string, Run[]>();
  readonly users = new Map<
    UserId,
    { mailbox: boolean; devices: readonly string[]; cursors: Map<string, Cursor> }
  >();
  readonly groups = new Map<number, { exists: boolean; members: Map<number, number> }>();

  last({ key }: Conversation): number {
    const newest = this.runs.get(key)?.at(-1);
    return newest === undefined ? 0 : runLast(newest);
  }

  /** At least one run, else within the bounds. */
  read({ key }: Conversation, after: number, messagesMax: number, bytesMax: number): Run[] {
    const found: Run[] = [];
    let [messages, bytes] = [0, 0];
    for (const run of this.runs.get(key) ?? []) {
      if (runLast(run) <= after) continue;
      const rest = runAfter(run, after);
      messages += rest.count;
      bytes += rest.bytes.length;
      if (found.length > 0 && (messages > messagesMax || bytes > bytesMax)) break;
      found.push(rest);
    }
    return found;
  }

  save(user: UserId, { mailbox, devices, cursors }: UserRecord): void {
    const known = this.users.get(user)?.cursors ?? new Map<string, Cursor>();
    for (const cursor of cursors) known.set(cursor.key, cursor);
    this.users.set(user, { mailbox, devices, cursors: known });
  }
}

class Program {
  readonly rig: DiskRig;
  engine: DiskEngine;
  readonly #random: Random;
  readonly #model = new Model();
  /** Numbers given out, as an owner gives them. */
  readonly #assigned = new Map<string, number>();
  #open: Promise<unknown>[] = [];
  readonly #conversations: Conversation[];
  #cut = 0;

  constructor(rig: DiskRig, random: Random) {
    this.rig = rig;
    this.engine = rig.engine();
    this.#random = random;
    const pairs = USERS.flatMap((a, i) => USERS.slice(i).map((b) => pairOf(a, b)));
    this.#conversations = [...pairs.filter(() => random.chance(0.5)), ...GROUPS.map(groupOf)];
  }

  async step(): Promise<void> {
    const random = this.#random;
    const roll = random.next();
    if (roll < 0.4) this.#append();
    else if (roll < 0.5) this.#saveUser();
    else if (roll < 0.55) this.#saveGroup();
    else if (roll < 0.85) this.#checkRead();
    else if (roll < 0.95) this.#checkRest();
    else if (roll < 0.98) await new Promise((resolve) => setImmediate(resolve));
    else if (roll < 0.99) await this.settle();
    else await this.#reopen();
    if (random.chance(0.5)) this.engine.flush();
  }

  #append(): void {
    const random = this.#random;
    const batch: Append[] = [];
    const right: boolean[] = [];
    for (let i = random.int(1, 6); i > 0; i--) {
      const conversation = random.pick(this.#conversations);
      const assigned = this.#assigned.get(conversation.key) ?? 0;
      const wrong = random.chance(0.05);
      const expectedLast = wrong ? assigned + random.pick([-1, 1]) : assigned;
      const texts = Array.from({ length: random.int(1, 5) }, () => 'x'.repeat(random.int(0, 120)));
      const run = textsFrom(conversation, Math.max(1, expectedLast + 1), texts);
      batch.push({ conversation, expectedLast, run });
      right.push(!wrong);
      if (!wrong) this.#assigned.set(conversation.key, assigned + run.count);
    }
    const done = this.engine.append(batch).then((results) => {
      for (const [i, result] of results.entries()) {
        const { conversation, run } = batch[i] as Append;
        if (!right[i]) assert.equal('error' in result && result.error, 'conflict');
        else {
          assert.deepEqual(result, { ok: true });
          const runs = this.#model.runs.get(conversation.key);
          if (runs === undefined) this.#model.runs.set(conversation.key, [run]);
          else runs.push(run);
        }
      }
    });
    this.#open.push(done);
  }

  #saveUser(): void {
    const random = this.#random;
    const cursors = Array.from({ length: random.int(0, 2) }, (): Cursor => ({
      key: random.pick(this.#conversations).key,
      delivered: random.int(0, 100),
      devices: { [random.pick(['phone', '__proto__', '7'])]: random.int(1, 9) },
      readTo: random.int(0, 9),
      read: [random.int(11, 20), random.int(21, 30)],
    }));
    const user = random.pick(USERS);
    const change = { mailbox: random.chance(0.5), devices: ['a', 'b'].slice(random.int(0, 2)), cursors };
    // Readable at once.
    this.#model.save(user, change);
    this.#open.push(this.engine.saveUser(user, change));
  }

  #saveGroup(): void {
    const random = this.#random;
    const group = random.pick(GROUPS);
    const mids = USERS.filter((user) => typeof user === 'number');
    const joined = mids.filter(() => random.chance(0.3));
    const left = mids.filter((mid) => !joined.includes(mid) && random.chance(0.3));
    const change = { exists: random.chance(0.8), joined, joinedAt: random.int(0, 50), left };
    const saving = this.engine.saveGroup(group, change).then(() => {
      const members = this.#model.groups.get(group)?.members ?? new Map<number, number>();
      for (const mid of left) members.delete(mid);
      for (const mid of joined) members.set(mid, change.joinedAt);
      this.#model.groups.set(group, { exists: change.exists, members });
    });
    this.#open.push(saving);
  }

  /** What is committed is seen, and nothing else. */
  #checkRead(): void {
    const random = this.#random;
    const conversation = random.pick(this.#conversations);
    const last = this.#model.last(conversation);
    const after = random.int(0, last + 1);
    const messagesMax = random.pick([0, 1, 2, 7, 50, Infinity]);
    const bytesMax = random.pick([0, 1, 100, 1_000, 5_000, Infinity]);
    const read = this.engine.read(conversation, after, messagesMax, bytesMax);
    assert.equal(read.last, last);
    assert.deepEqual(read.runs, this.#model.read(conversation, after, messagesMax, bytesMax));
    const first = read.runs[0]?.first ?? 0;
    if (first > 1 && !(this.#model.runs.get(conversation.key) ?? []).some((run) => run.first === first))
      this.#cut += 1;
  }

  #checkRest(): void {
    const user = this.#random.pick(USERS);
    const record = this.#model.users.get(user);
    const stored = this.engine.user(user);
    assert.deepEqual(
      stored && { ...stored, cursors: stored.cursors.toSorted(byKey) },
      record && { ...record, cursors: [...record.cursors.values()].toSorted(byKey) },
    );
    const group = this.#random.pick(GROUPS);
    assert.deepEqual(this.engine.group(group), this.#model.groups.get(group));
    const expected = this.#conversations.flatMap((conversation): Participation[] => {
      const last = this.#model.last(conversation);
      if (isGroup(conversation)) {
        const joinedAt = this.#model.groups.get(conversation.group)?.members.get(Number(user));
        return joinedAt === undefined ? [] : [{ conversation, last, joinedAt }];
      }
      const isOf = conversation.low === user || conversation.high === user;
      return isOf && last > 0 ? [{ conversation, last, joinedAt: 0 }] : [];
    });
    const byConversation = (a: { conversation: Conversation }, b: { conversation: Conversation }): number =>
      byKey(a.conversation, b.conversation);
    assert.deepEqual(
      this.engine.participations(user).toSorted(byConversation),
      expected.toSorted(byConversation),
    );
  }

  async settle(): Promise<void> {
    this.engine.flush();
    await Promise.all(this.#open);
    this.#open = [];
  }

  async #reopen(): Promise<void> {
    await this.settle();
    let sequence = 1;
    if (this.#random.chance(0.5)) {
      await this.rig.closeEngine();
      await this.rig.recover();
    } else {
      this.rig.crash();
      ({ sequence } = await this.rig.recover(this.#random.pick([0, undefined])));
    }
    this.engine = this.rig.engine(0, sequence);
    this.checkAll();
  }

  checkAll(): void {
    for (const conversation of this.#conversations) {
      const { runs, last } = this.engine.read(conversation, 0, Infinity, Infinity);
      assert.equal(last, this.#model.last(conversation));
      assert.deepEqual(runs, this.#model.runs.get(conversation.key) ?? []);
    }
    for (let i = 0; i < 20; i++) this.#checkRest();
  }

  /** Reads that began inside of a run: the program was worth running. */
  get cut(): number {
    return this.#cut;
  }
}

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0;

test('Whatever is stored, read, moved into tables and recovered, a disk engine has what a list has.', async (t) => {
  const random = seededRandom('disk-model');
  const dir = temporaryDir(t);
  const program = new Program(await DiskRig.open(dir, { bounds: BOUNDS }), random);
  for (let step = 0; step < STEPS; step++) await program.step();
  await program.settle();
  program.checkAll();
  assert.ok(program.cut > 10, `${program.cut} reads began inside of a run`);
  await program.rig.close();
  const again = await DiskRig.open(dir);
  program.engine = again.engine();
  program.checkAll();
  assert.deepEqual(again.health, []);
  await again.close();
});
