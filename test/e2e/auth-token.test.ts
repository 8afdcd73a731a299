import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessagingClient } from '../../src/client/index.ts';
import { inSeconds, otherSecret, secret, signed } from '../support/auth.ts';
import { putGroup } from '../support/admin.ts';
import { cometKinds, connectComet, connectMessaging } from '../support/clients.ts';
import { Bench, refusal, Wire } from '../support/comet.ts';
import { idsOf, rawHttp, statusOf, upgradeRequest } from '../support/messaging.ts';

const authOf = { auth: { kind: 'token', secrets: [secret] } } as const;
const good = (user: number | string): string => signed(user, inSeconds(3_600));

/** Credentials that must not let mid 21 in. */
const wrong: readonly [string, string][] = [
  ['of another mid', good(22)],
  ['that has run out', signed(21, inSeconds(-60))],
  ['of another secret', signed(21, 0, otherSecret)],
  ['that is empty', ''],
  ['that is garbage', '0.0.0'],
  ['whose permissions were added', good(21).replace('.', '.broadcast=1.')],
];

describe('--auth token', () => {
  const bench = new Bench(2, authOf);

  for (const kind of cometKinds) {
    test(`a token lets its mid in over ${kind}`, async () => {
      const client = await connectComet(kind, bench, 21, { mkey: good(21) });
      await client.heartbeat();
      await client.close();
    });

    for (const [what, mkey] of wrong) {
      test(`an mkey ${what} gets op 8 with ret -1, then 4401, over ${kind}`, async () => {
        const wire = await bench.open(kind);
        wire.jsonFrame(7, 5, { mid: 21, mkey });
        assert.deepEqual(await wire.reply(8, 5), { ret: -1, error: 'not_authenticated' });
        assert.equal((await wire.closed).code, 4401);
      });
    }

    test(`who is in as one mid cannot become another over ${kind}`, async () => {
      const wire = await connect(bench, kind, 21);
      wire.jsonFrame(7, 9, { mid: 22, mkey: good(22) });
      assert.deepEqual(await wire.reply(8, 9), { ret: -1, error: 'already_authenticated' });
      const other = await connect(bench, kind, 22);
      assert.ok((await wire.say(22, 'still 21')) > 0);
      assert.equal((await other.messages(1))[0]?.from, 21);
      await Promise.all([wire.end(), other.end()]);
    });
  }

  const path = (query: string): string => `/messaging?client_id=21${query}`;
  const bearer = (where: string, value: string): string =>
    upgradeRequest(where).replace('\r\n', `\r\nAuthorization: ${value}\r\n`);

  test('messaging takes the token from the query or from the header, and not from both', async () => {
    const inQuery = await connectMessaging(bench, 21, { token: good(21) });
    await inQuery.close();
    const { host, port } = bench.httpAddress;
    const { WebSocket } = await import('ws');
    const headers = { authorization: `Bearer ${good(21)}` };
    const socket = new WebSocket(`ws://${host}:${port}${path('')}`, { headers });
    const inHeader = new MessagingClient(socket, { clientId: 21 });
    await new Promise((resolve) => socket.once('open', resolve));
    await inHeader.close();
    const both = await rawHttp(bench.httpAddress, bearer(path(`&token=${good(21)}`), headers.authorization));
    assert.equal(statusOf(both), 400);
    assert.equal(statusOf(await rawHttp(bench.httpAddress, bearer(path(''), 'Basic eDp5'))), 400);
  });

  for (const [what, token] of wrong) {
    test(`a messaging token ${what} is refused with 401, in the query and in the header`, async () => {
      const inQuery = upgradeRequest(path(`&token=${encodeURIComponent(token)}`));
      assert.equal(statusOf(await rawHttp(bench.httpAddress, inQuery)), 401);
      if (token === '') return;
      assert.equal(statusOf(await rawHttp(bench.httpAddress, bearer(path(''), `Bearer ${token}`))), 401);
    });
  }

  test('a token that is longer than any is refused with 401 and not looked at', async () => {
    const long = upgradeRequest(path(`&token=${'x'.repeat(4_097)}`));
    assert.equal(statusOf(await rawHttp(bench.httpAddress, long)), 401);
  });
});

const connect = async (bench: Bench, kind: (typeof cometKinds)[number], mid: number): Promise<Wire> => {
  const wire = await bench.open(kind);
  wire.mid = mid;
  wire.jsonFrame(7, 1, { mid, mkey: good(mid) });
  assert.deepEqual(await wire.reply(8, 1), { ret: 0, mid });
  return wire;
};

describe('a mid cannot act as another', () => {
  const bench = new Bench(2, authOf);
  const [me, victim, friend] = [21, 22, 23];

  for (const kind of cometKinds) {
    for (const op of [18, 20] as const) {
      test(`in op ${op} over ${kind}: from must be its own`, async () => {
        const group = 700 + op;
        await putGroup(bench, group, [me, victim]);
        const [wire, reader] = [await connect(bench, kind, me), await connect(bench, kind, friend)];
        const to = op === 18 ? friend : group;
        for (const [seq, from] of [victim, 0, -me, 2_147_483_647].entries()) {
          wire.message(op, seq + 2, to, 'forged', from);
          assert.deepEqual(await wire.reply(op + 1, seq + 2), refusal(kind, 'bad_sender'), `${from}`);
        }
        await wire.say(friend, 'mine');
        assert.deepEqual(
          (await reader.messages(1)).map(({ from, text }) => [from, text]),
          [[me, 'mine']],
        );
        await Promise.all([wire.end(), reader.end()]);
      });
    }

    test(`in op 22 over ${kind}: an acknowledgement moves its own cursor and nobody else's`, async () => {
      const [own, other, peer] = [bench.mid(), bench.mid(), bench.mid()];
      const sender = await connect(bench, kind, peer);
      const last = await sender.say(other, 'for the victim');
      await sender.say(own, 'for me');
      const wire = await connect(bench, kind, own);
      wire.ack(2, { with: peer }, last + 1_000_000);
      assert.equal((await wire.replyAmongBatches(23, 2)).ret, 0);
      const reader = await connect(bench, kind, other);
      assert.deepEqual(
        (await reader.messages(1)).map(({ text }) => text),
        ['for the victim'],
      );
      await Promise.all([sender.end(), wire.end(), reader.end()]);
    });

    test(`in op 24 over ${kind}: history is that of its own conversations, and of its groups`, async () => {
      const [own, other, peer] = [bench.mid(), bench.mid(), bench.mid()];
      const sender = await connect(bench, kind, peer);
      await sender.say(other, 'a secret');
      await putGroup(bench, 710, [other, peer]);
      await sender.say(710, 'a secret of the group', 20);
      const wire = await connect(bench, kind, own);
      for (const [seq, of] of [{ with: other }, { with: peer }].entries()) {
        wire.history(seq + 2, of);
        const page = await wire.page(seq + 2);
        assert.ok(typeof page === 'object');
        assert.doesNotMatch(JSON.stringify(page.messages.map(({ text }) => text)), /secret/);
      }
      wire.history(9, { group: 710 });
      assert.equal(typeof (await wire.page(9)), 'string');
      await Promise.all([sender.end(), wire.end()]);
    });
  }

  test('in the section send: sid must be its own, however it is written', async () => {
    const mine = await connectMessaging(bench, me, { token: good(me) });
    const reader = await connectMessaging(bench, friend, { token: good(friend) });
    const forged: unknown[] = [
      victim,
      String(victim),
      `0${me}`,
      `${me}.0`,
      ` ${me}`,
      `+${me}`,
      21.5,
      -21,
      'ann',
    ];
    forged.push(2_147_483_648 + me, '２１');
    mine.sendSections({ send: forged.map((sid, id) => ({ id, sid, rid: friend, text: 'forged' })) });
    for (const [id] of forged.entries()) {
      const { error, ...entry } = await mine.nextError();
      assert.deepEqual([error, entry.id], ['bad_sender', id]);
    }
    mine.sendSections({ send: [{ id: 'x', sid: '21', rid: friend, text: 'mine' }] });
    const ids: unknown[] = [];
    while (!ids.includes('x')) ids.push((await reader.nextMessage()).id);
    assert.deepEqual(
      ids.filter((id) => typeof id === 'number'),
      [],
    );
    await Promise.all([mine.close(), reader.close()]);
  });

  test("in the section read: it reads in its own mailbox and in nobody else's", async () => {
    const [ann, bob] = ['ann', 'bob'];
    const sender = await connectMessaging(bench, friend, { token: good(friend) });
    const keeper = await connectMessaging(bench, ann, { token: good(ann) });
    sender.sendSections({ send: [{ id: 'kept', sid: friend, rid: ann, text: '' }] });
    assert.equal((await keeper.nextMessage()).id, 'kept');
    const thief = await connectMessaging(bench, bob, { token: good(bob) });
    const items = [{ id: 'kept' }, { id: 'kept', sid: friend }, { id: 'kept', sid: ann, rid: ann }];
    thief.sendSections({ read: items });
    sender.send(bob, { text: 'mark' });
    await thief.nextMessage();
    await keeper.close();
    const again = await connectMessaging(bench, ann, { token: good(ann) });
    assert.deepEqual(idsOf([await again.nextMessage()]), ['kept']);
    await Promise.all([sender, thief, again].map((client) => client.close()));
  });

  test('with the device of another: it replaces its own connections only', async () => {
    const keeper = await connectMessaging(bench, victim, { token: good(victim), deviceId: 'phone' });
    const mine = await connectMessaging(bench, me, { token: good(me), deviceId: 'phone' });
    mine.send(victim, { text: 'still here' });
    let text: unknown;
    while (text !== 'still here') text = (await keeper.nextMessage())['text'];
    await Promise.all([keeper.close(), mine.close()]);
  });
});
