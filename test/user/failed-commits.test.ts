import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AskRefused } from '../../src/actor/index.ts';
import { Group, type GroupContext } from '../../src/group/group.ts';
import { GroupState } from '../../src/group/members.ts';
import type { Append } from '../../src/store/store.ts';
import type { UserContext } from '../../src/user/context.ts';
import type { Committed, SendRequest } from '../../src/user/messages.ts';
import { committed, send } from '../../src/user/sending.ts';
import { UserState } from '../../src/user/user-state.ts';
import { RunBuilder } from '../../src/wire/run-builder.ts';
import { Origin, PayloadKind } from '../../src/wire/run.ts';

/**
 * The owner of a conversation whose store fails now and then, while there is always something on
 * its way. The store is the test: it has what was acknowledged, and refuses a wrong `expectedLast`.
 */
class Owner {
  readonly queue: { readonly append: Append; readonly request: SendRequest }[] = [];
  readonly told: string[] = [];
  last = 0;
  /** What the store's answers are refused with. */
  lost: Error | undefined;
  #ticket = 0;
  readonly #send: (request: SendRequest) => void | Promise<void>;
  readonly #committed: (outcome: Committed) => void | Promise<void>;
  readonly #to: number;

  constructor(kind: 'pair' | 'group', mailbox = false) {
    const env = {
      store: {
        last: async () => {
          if (this.lost !== undefined) throw this.lost;
          return this.last;
        },
        user: async () => undefined,
        read: async () => ({ runs: [], last: 0 }),
      },
      commits: { add: (append: Append, request: SendRequest) => this.queue.push({ append, request }) },
      sessions: { get: () => undefined },
      logger: { warn: () => {} },
      users: {
        tellIfActive: (
          _user: unknown,
          name: string,
          payload: { replyTo?: { ticket: number }; error?: string },
        ) => {
          if (payload.replyTo === undefined) return;
          this.told.push(`${payload.replyTo.ticket} ${payload.error ?? name}`);
        },
      },
      markCursors: () => {},
    };
    const ctx = { env, id: 1, self: { tell: () => true } };
    if (kind === 'pair') {
      const state = new UserState(1, mailbox ? { mailbox, devices: [], cursors: [] } : undefined);
      this.#to = 1;
      this.#send = (request) => send(state, request, ctx as never as UserContext);
      this.#committed = (outcome) => committed(state, outcome, ctx as never as UserContext);
    } else {
      const record = { exists: true, members: new Map([[2, 0]]) };
      const state = new GroupState(1, record, 0);
      this.#to = 1;
      this.#send = (request) => Group.on.send(state, request, ctx as never as GroupContext as never);
      this.#committed = (outcome) =>
        Group.on.committed(state, outcome, ctx as never as GroupContext as never);
    }
  }

  /** User 2 sends one message. */
  async send(id: string | null = null): Promise<number> {
    const builder = new RunBuilder(256);
    const message = Buffer.from(JSON.stringify({ id, sid: '2', rid: '1' }));
    builder.add(18, 2, this.#to, message, 0, message.length);
    const ticket = (this.#ticket += 1);
    await this.#send({
      replyTo: { user: 2, shard: 0, connection: 1, ticket, count: 1 },
      from: 2,
      to: this.#to,
      run: builder.finish(PayloadKind.json, Origin.messaging, 0),
      echo: false,
      id,
    });
    return ticket;
  }

  /** The store settles the oldest commit. */
  async settle(works: boolean): Promise<void> {
    const { append, request } = this.queue.shift()!;
    const ok = works && append.expectedLast === this.last;
    if (ok) this.last += append.run.count;
    await this.#committed({ request, error: ok ? null : 'storage_unavailable', last: ok ? 0 : this.last });
  }
}

for (const kind of ['pair', 'group'] as const) {
  test(`A ${kind} goes on after a failed commit although something is always on its way.`, async () => {
    const owner = new Owner(kind);
    await owner.send();
    for (let i = 2; i <= 5; i++) {
      await owner.send(); // one more before the oldest is settled
      await owner.settle(true);
    }
    await owner.send();
    await owner.settle(false);
    let sent = 0;
    // The disk works again. Without a rule for it every number would be one too high from here on.
    for (; owner.last < 8 && sent < 20; sent++) {
      await owner.send();
      if (owner.queue.length > 0) await owner.settle(true);
    }
    assert.ok(owner.last === 8, `${owner.last} stored, ${sent} sent: ${owner.told.join(', ')}`);
    assert.deepEqual(owner.told.slice(0, 8), [
      '1 sent',
      '2 sent',
      '3 sent',
      '4 sent',
      '5 storage_unavailable', // failed
      '7 storage_unavailable', // at once: 6 is behind it
      '6 storage_unavailable', // its number cannot be used
      '8 sent',
    ]);
  });
}

test('The retry of a message that is on its way shares its outcome.', async () => {
  for (const works of [true, false]) {
    const owner = new Owner('pair', true);
    await owner.send('m1');
    await owner.send('m1');
    assert.deepEqual([owner.told, owner.queue.length], [[], 1]);
    await owner.settle(works);
    assert.deepEqual(
      owner.told,
      works ? ['1 sent', '2 retried'] : ['1 storage_unavailable', '2 storage_unavailable'],
    );
    await owner.send('m1'); // stored: known at once; refused: a new message
    assert.deepEqual(owner.told.slice(2), works ? ['3 retried'] : []);
    assert.equal(owner.queue.length, works ? 0 : 1);
  }
});

test('A message for which the store could not be asked is refused, and its owner goes on.', async () => {
  const owner = new Owner('pair', true);
  owner.lost = new AskRefused('store', 1, 'user', 'unreachable');
  await owner.send('m1');
  owner.lost = new Error('the disk is gone');
  await owner.send('m2');
  owner.lost = undefined;
  await owner.send('m3');
  await owner.settle(true);
  assert.deepEqual(owner.told, ['1 unavailable', '2 storage_unavailable', '3 sent']);
});
